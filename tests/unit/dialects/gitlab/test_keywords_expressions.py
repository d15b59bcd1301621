"""More of the expressions of rules: what is a word of the language, who binds tighter, what is true (gitlab.md C.4)."""

import pytest

from app.dialects.gitlab.expressions import MOST_TOKENS, InvalidExpression, parse
from tests.unit.dialects.gitlab.answers import errors, jobs

VARIABLES = {
    "PRESENT": "my variable",
    "PATH": "a/path/variable/value",
    "FULL": "/a/full/path/variable/value",
    "EMPTY": "",
    "ZERO": "0",
    "NULL": "null",
    "FALSE": "false",
    "LINES": "one\ntwo",
    "REGEXP": "/^my/",
    "REGEXP_I": "/^MY/i",
    "V1": "one",
    "V2": "two",
    "a_b_1": "lower",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"my variable" == $PRESENT', True),
        ("'my variable' == $PRESENT", True),
        ("$PRESENT == $PRESENT", True),
        ("$PRESENT==$V1", False),
        ("$PRESENT != $NOBODY", True),
        ("$NOBODY == $NOBODY_EITHER", True),
        ("$NOBODY == $EMPTY", False),
        ('$NOBODY == ""', False),
        ("null == null", True),
        ("null != null", False),
        ('null == ""', False),
        ("$NULL == null", False),
        ('$NULL == "null"', True),
        ('"text"', True),
        ("''", False),
        ('" "', False),
        ("null", False),
        ("$ZERO", True),
        ("$FALSE", True),
        ("$FALSE == false", True),
        ("$FALSE != true", True),
        ("true == true", True),
        ("true != false", True),
        ("null == false", False),
        ("!$FALSE", False),
        ("!false", True),
        ("!null", True),
        ('!""', True),
        ("!$PRESENT == false", True),
        ("$a_b_1 == 'lower'", True),
        ("'say \"x\"' == 'say \"x\"'", True),
        ('"it\'s" == "it\'s"', True),
        ("$PRESENT =~ /var.*e$/", True),
        ("$PRESENT =~ /^var.*/", False),
        (r"$PRESENT =~ /va\r.*e$/", False),
        (r"$PRESENT =~ /va\/r.*e$/", False),
        ("$PRESENT =~ /VAR.*/i", True),
        ("$EMPTY =~ /var.*/", False),
        ("$NOBODY =~ /var.*/", False),
        (r"$PATH =~ /path\/variable/", True),
        (r"$FULL =~ /^\/a\/full\/path\/variable\/value$/", True),
        (r"$FULL =~ /\/path\/variable\/value$/", True),
        ("$LINES =~ /one.two/", False),
        ("$LINES =~ /one.two/s", True),
        ("$LINES =~ /^two$/", False),
        ("$LINES =~ /^two$/m", True),
        ("$LINES =~ /^TWO$/im", True),
        ("$PRESENT =~ $REGEXP", True),
        ("$PRESENT =~ $REGEXP_I", True),
        ("$PRESENT !~ $REGEXP_I", False),
        ("$V1 =~ $REGEXP", False),
        ('$PRESENT =~ "/^my/"', True),
        ("$PRESENT =~ null", False),
        ("$PRESENT !~ null", True),
        ("$PRESENT !~ /nope/", True),
        ("$PRESENT && $V1", True),
        ("$PRESENT && $EMPTY", False),
        ("$PRESENT && null", False),
        ("null && $PRESENT", False),
        ("$EMPTY && $PRESENT", True),
        ("$PRESENT || $EMPTY", True),
        ("$EMPTY || $PRESENT", False),
        ("null || $PRESENT", True),
        ("false || $PRESENT", True),
        ("$NOBODY || $EMPTY", False),
        ('$PRESENT =~ /my var/ && $EMPTY =~ /nope/', False),
        ('$PRESENT == "my variable" && $NOBODY', False),
        ('$EMPTY == "" && $PRESENT', True),
        ('$NOBODY || $V1 == "one" && $V2 == "two"', True),
        ('$V1 == "one" || $V2 == "no" && $NOBODY', True),
        ('($V1 == "one" || $V2 == "no") && $NOBODY', False),
        ('$V1 == "no" && $V2 == "two" || $PRESENT', True),
        ('$V1 == "no" && ($V2 == "two" || $PRESENT)', False),
        ('(($V1 == "one"))', True),
        ('($V1) == ("one")', True),
        ('!($V1 == "one") || !($V2 == "no")', True),
        ('$V1 == "one" == true', True),
        ("$V1 =~ /one/ && $V2 =~ /two/ && $PRESENT !~ /x\\/y/", True),
        ("$PATH =~ /path/ && $FULL =~ /full/", True),
        ("\t$V1\n==\r\n'one'\f", True),
    ],
)  # fmt: skip
def test_what_is_true(text: str, expected: bool) -> None:
    assert parse(text).is_true(VARIABLES) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$V1 == one", "Unknown lexeme found! At `one`: texts stand in quotes"),
        ("$V1 == 1", "Unknown lexeme found! At `1`: texts stand in quotes"),
        ("$V1 = 'one'", "Unknown lexeme found! At `= 'one'`: `==` compares, `=~` matches a pattern"),
        ("${V1}", "Unknown lexeme found! At `${V1}`: a variable is written `$NAME`"),
        ("%V1%", "Unknown lexeme found! At `%V1%`: a variable is written `$NAME`"),
        ("$V1-a", "Unknown lexeme found! At `-a`"),
        ("$V1 | $V2", "Unknown lexeme found! At `| $V2`: `&&` and `||` connect"),
        ("'open", "Unknown lexeme found! At `'open`: the quote is not closed"),
        ('"two\nlines"', 'Unknown lexeme found! At `"two lines"`: the quote is not closed'),
        (
            "$V1 =~ //",
            "Unknown lexeme found! At `//`: a pattern stands between slashes and has two characters at least",
        ),
        (
            "$V1 =~ /open",
            "Unknown lexeme found! At `/open`: a pattern stands between slashes and has two characters at least",
        ),
        ("$V1 =~ /ab/x", "Unknown lexeme found! At `x`: texts stand in quotes"),
        ("True", "Unknown lexeme found! At `True`: texts stand in quotes"),
        ("trueish", "Unknown lexeme found! At `trueish`: texts stand in quotes"),
        ("$V1 =~ /a(/", "the pattern /a(/ is invalid: missing ): a("),
        ("$V1 =~ /(?=a)/", "the pattern /(?=a)/ is invalid: invalid perl operator: (?="),
        ("$V1 &&", "a value is missing"),
        ("&& $V1", "`&&` stands where a value is missing"),
        ("$V1 == == $V2", "`==` stands where a value is missing"),
        ("$V1 ! == $V2", "an operator is missing"),
        ("$V1 $V2", "an operator is missing"),
        ('"a" "b"', "an operator is missing"),
        ("($V1", "a parenthesis is not closed"),
        ("$V1)", "an operator is missing"),
        ("()", "`)` stands where a value is missing"),
        ("", "a value is missing"),
    ],
)
def test_what_is_no_expression(text: str, message: str) -> None:
    with pytest.raises(InvalidExpression) as wrong:
        parse(text)
    assert str(wrong.value) == message


def test_an_expression_has_a_hundred_words_at_most() -> None:
    assert parse("!" * (MOST_TOKENS - 1) + "$V1").is_true({"V1": ""})
    with pytest.raises(InvalidExpression, match="Too many tokens!"):
        parse("!" * MOST_TOKENS + "$V1")


def test_rules_know_the_variables_of_every_layer_and_not_those_of_a_job_that_runs() -> None:
    text = (
        "variables: {GLOBAL: global, BOTH: global}\n"
        "a:\n  script: x\n  variables: {OWN: own, BOTH: own, INDIRECT: $GLOBAL}\n  rules:\n"
        "    - if: $GLOBAL == 'global' && $OWN == 'own' && $BOTH == 'own' && $PROJECT == 'project'\n"
        "        && $INDIRECT == '$GLOBAL' && $CI_JOB_NAME == 'a' && $CI_JOB_STAGE == 'test'\n"
        "        && $CI_COMMIT_BRANCH == 'main' && $CI_PIPELINE_SOURCE == 'push' && $CI_COMMIT_TAG == null\n"
        "        && $CI_JOB_ID == null && $CI_JOB_TOKEN == null && $CI_PIPELINE_ID == null\n"
    )
    assert list(jobs(text, variables={"PROJECT": "project"})) == ["a"]


def test_an_expression_is_checked_wherever_it_stands() -> None:
    text = (
        "workflow: {rules: [{if: $A ==}]}\n"
        "a: {script: x, rules: [{if: $A &&}]}\n"
        "b: {script: x, only: {variables: [$A ||]}, except: {variables: [(]}}\n"
    )
    assert [said.split(": ")[0] for said in errors(text)] == ["1:25", "2:29", "3:34", "3:64"]
