// Flux's way from a registry's answer to the chosen tag, for comparison: decode the list, then parse and check
// every tag with the semver library that Flux uses. "whole" adds what lies between in Flux: the exclusion list's
// regular expression, sorting, the checksum, and the list written to and read from its store as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"hash/adler32"
	"os"
	"regexp"
	"sort"
	"strings"
	"syscall"

	"github.com/Masterminds/semver/v3"
)

type answer struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

// cpu returns the seconds of processor time that this process has used, its garbage collector included.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// choose returns the highest version in the range: the first of equal ones, as Flux does.
func choose(tags []string, constraint *semver.Constraints) string {
	var best *semver.Version
	for _, tag := range tags {
		if len(strings.SplitN(tag, ".", 3)) < 3 {
			continue
		}
		version, err := semver.NewVersion(tag)
		if err != nil || !constraint.Check(version) {
			continue
		}
		if best == nil || version.GreaterThan(best) {
			best = version
		}
	}
	if best == nil {
		return ""
	}
	return best.Original()
}

// store does what a scan does with a list before a policy reads it again.
func store(tags []string, excluded *regexp.Regexp) []string {
	kept := make([]string, 0, len(tags))
	for _, tag := range tags {
		if !excluded.MatchString(tag) {
			kept = append(kept, tag)
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(kept)))
	checksum := adler32.Checksum([]byte(strings.Join(kept, ",")))
	written, err := json.Marshal(kept)
	if err != nil {
		panic(err)
	}
	var read []string
	if err := json.Unmarshal(written, &read); err != nil || checksum == 0 {
		panic(err)
	}
	return read
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: flux_path ANSWER.json RANGE whole|least; prints the choice and CPU milliseconds")
		os.Exit(2)
	}
	body, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	constraint, err := semver.NewConstraint(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	excluded := regexp.MustCompile(`^.*\.sig$`)
	least, choice := 0.0, ""
	for round := 0; round < 3; round++ {
		start := cpu()
		var listed answer
		if err := json.Unmarshal(body, &listed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if os.Args[3] == "whole" {
			listed.Tags = store(listed.Tags, excluded)
		}
		choice = choose(listed.Tags, constraint)
		if spent := cpu() - start; round == 0 || spent < least {
			least = spent
		}
	}
	fmt.Printf("{\"choice\": %q, \"milliseconds\": %.3f}\n", choice, least*1000)
}
