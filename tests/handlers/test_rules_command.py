"""``countersign rules`` on a real repository: the effective rule, and where each line was said."""

from tests.handlers.test_cli import Cli, app, nothing_set
from tests.repositories import git

__all__ = ["app", "nothing_set"]  # fixtures


def test_a_rule_is_shown_with_file_and_line(app: Cli) -> None:
    code, out, err = app.run("rules", "production", "checkout-api")

    assert code == 0
    (line,) = [one for one in out.splitlines() if one.startswith("approvals")]
    assert "promotion/rules.yaml:" in line
    assert "(own)" in line
    assert any(one.startswith("merge-within") and "built-in" in one for one in out.splitlines())
    assert err.startswith("checkout-api in production: rule ")


def test_a_rule_as_json_has_its_lines_and_what_approvals_bind_to(app: Cli) -> None:
    read = app.read("rules", "staging", "checkout-api")

    assert read["schema"] == "countersign.rules/1"
    assert (read["environment"], read["service"], len(read["hash"])) == ("staging", "checkout-api", 64)
    by_key = {one["key"]: one for one in read["lines"]}
    assert by_key["approvals"]["value"] == "nobody"
    assert by_key["approvals"]["layer"] == "own"
    assert by_key["approvals"]["file"] == "promotion/rules.yaml"
    assert (by_key["soak"]["layer"], by_key["soak"]["file"], by_key["soak"]["line"]) == ("built-in", "", 0)
    assert read["canonical"]["approvals"] == []


def test_a_name_that_is_unknown_is_answered_with_what_was_meant(app: Cli) -> None:
    code, out, err = app.run("rules", "stagign", "checkout-api")
    assert (code, out) == (2, "")
    assert "'staging', did you mean that?" in err

    code, _, err = app.run("rules", "staging", "checkuot-api")
    assert code == 2
    assert "'checkout-api', did you mean that?" in err


def test_a_service_that_is_not_there_is_said(app: Cli) -> None:
    text = git(app.repository, "show", "HEAD:promotion/rules.yaml")
    app.rules(text.replace("versions: 1.x", "versions: 1.x, environments: staging"))

    code, out, err = app.run("rules", "production", "checkout-api")

    assert (code, out) == (2, "")
    assert "checkout-api does not exist in production; its rules name staging" in err


def test_the_rules_of_a_group_are_those_of_its_services(app: Cli) -> None:
    text = git(app.repository, "show", "HEAD:promotion/rules.yaml")
    first = text[text.index("services:\n") :].split("\n")[1]
    web = first.replace("checkout-api", "web")
    text = text.replace(first, f"{first}\n{web}", 1)
    app.rules(f"{text.rstrip()}\ngroups: {{shop: [checkout-api, web]}}\n")

    read = app.read("rules", "production", "shop")

    assert (read["group"], [one["service"] for one in read["members"]]) == ("shop", ["checkout-api", "web"])
    (line,) = [one for one in read["members"][0]["lines"] if one["key"] == "group"]
    assert (line["value"], line["file"]) == ("checkout-api, web", "promotion/rules.yaml")
    code, out, err = app.run("rules", "production", "shop")
    assert (code, out.count("approvals")) == (0, 2)
    assert "shop moves as one in production" in err
    assert "it moves with shop" in app.run("rules", "production", "web")[2]
