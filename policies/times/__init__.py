"""Times: spans, weekly windows, calendars."""
