"""A project in which everything that somebody can name, write or print is an attack on the page that shows it.

Its first pipeline is green. The second has each kind of job: one that prints until somebody cancels it, one that waits
for the resource which this one holds, one whose tag no runner has, a matrix, one that fails with reports and artifacts,
one by hand, and a child pipeline.
"""

#: As a tag that a page would have to be made of, and whole: no slash, so that it can be the name of a file.
EVIL = "<img src=x onerror=alert(1)>"
#: The same as a branch, which holds no space.
BRANCH = "fix/<img/src=x/onerror=alert(2)>"
SCRIPT = "<script>alert(3)</script>"
JOB = f"unit {EVIL}"

GREEN = f"""
image: localhost/skerry/base
'{JOB}':
  coverage: '/^TOTAL (\\d+)%$/'
  script: [sh report.sh green]
  artifacts: {{reports: {{junit: junit.xml}}}}
"""

RED = f"""
stages: [build, test, deploy]
default: {{image: localhost/skerry/base}}
variables:
  LEVEL: {{value: quick, options: [quick, full], description: 'How much is tested {EVIL}'}}
compile: {{stage: build, script: sh compile.sh}}
watch:
  stage: build
  resource_group: harbour
  script:
    - number=0
    - while true; do number=$((number + 1)); echo "tick $number $PAYLOAD"; sleep 0.2; done
waits: {{stage: build, resource_group: harbour, script: echo after}}
tagged: {{stage: build, tags: [gpu], script: echo never}}
variant: {{stage: test, needs: [compile], parallel: {{matrix: [{{OS: [linux, mac]}}]}}, script: echo $OS}}
'{JOB}':
  stage: test
  needs: [compile]
  coverage: '/^TOTAL (\\d+)%$/'
  script: [sh report.sh red]
  artifacts:
    name: '{EVIL}'
    when: always
    paths: [site/]
    expire_in: 6 days
    reports: {{junit: junit.xml}}
ship: {{stage: deploy, needs: [compile], when: manual, script: echo "to $TARGET"}}
child: {{stage: deploy, needs: [compile], trigger: {{include: child.yml}}}}
"""

CHILD = "below: {image: localhost/skerry/base, script: echo below}"

COMPILE = r"""
section() { printf "section_$1:$(date +%s):$2\r\033[0K"; }
section start 'fetch[collapsed=true]'; echo "Fetching"
echo "a seal in a folded part"
section end fetch
printf '10%%\r60%%\r100%%\n'
printf '\033[31;1mred\033[0m \033[38;5;208morange\033[0m \033[48;2;1;2;3mdeep\033[0m\n'
printf 'see https://example.com/a?b=c or javascript:alert(4) or \033]8;;javascript:alert(5)\007click\033]8;;\007\n'
for number in $(seq 1 120); do echo "line $number"; done
echo $(seq 1 900)
"""

REPORT = rf"""
section() {{ printf "section_$1:$(date +%s):$2\r\033[0K"; }}
case $1 in
green) cp green.xml junit.xml; echo "error: retrying after 3 s"; echo "TOTAL 80%"; exit 0 ;;
esac
cp red.xml junit.xml
mkdir site && cp -r pages/. site && base64 -d shot.b64 >site/shot.png && head -c 300 /dev/urandom >site/model.bin
mv site/odd.txt "site/{EVIL}.txt"
section start 'setup[collapsed=true]'; echo "Setting up {EVIL}"; echo "inside the set-up"; section end setup
echo "error: retrying after 4 s"
echo "TOTAL 72%"
section start 'units[collapsed=true]'; echo "Units"
printf '\033[31mAssertionError: four legs, not three\033[0m\n'
echo '{EVIL}{SCRIPT}'
printf 'error: {EVIL}\n'
exit 3
"""

_CASE = '<testcase classname="seals" name="%s" time="%s" file="test_seals.py">%s</testcase>'
_ATTACK = EVIL.replace("<", "&lt;").replace(">", "&gt;")


def _suite(*cases: tuple[str, float, str]) -> str:
    return f'<testsuite name="{_ATTACK}">{"".join(_CASE % case for case in cases)}</testsuite>'


FILES = {
    "compile.sh": COMPILE,
    "report.sh": REPORT,
    "child.yml": CHILD,
    "green.xml": _suite(
        ("counts", 0.2, ""), ("swims", 3.4, ""), ("old", 0.1, "<failure>has failed for weeks</failure>")
    ),
    "red.xml": _suite(
        ("counts", 0.3, f"<failure>four legs, not three {_ATTACK}</failure>"),
        ("swims", 3.4, ""),
        ("old", 0.1, "<failure>has failed for weeks</failure>"),
        (_ATTACK, 0.1, f"<error>{_ATTACK}</error><system-out>{_ATTACK}</system-out>"),
        ("flies", 0.0, "<skipped/>"),
    ),
    "pages/index.html": f"""<!doctype html><title>Report</title><link rel="stylesheet" href="css/style.css">
<script>parent.document.title = "taken"; document.title = "ran"</script>
<body onload="alert(6)"><h1 onclick="alert(7)">Coverage</h1>{EVIL}<a id="next" href="two.html">two</a>
<form action="/-/sign_out" method="post"><button>Send</button></form></body>""",
    "pages/two.html": "<h1>Second page</h1>",
    "pages/css/style.css": "h1 { color: rgb(1, 2, 3) }",
    "pages/odd.txt": f"first\n{EVIL}{SCRIPT}\n",
    "pages/drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(8)" width="90" height="40">'
    '<script>alert(9)</script><rect width="90" height="40" fill="teal"/></svg>',
    "shot.b64": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==\n",
}
