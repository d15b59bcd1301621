"""What `make up`, `make down` and `make test` do before Skerry itself runs.

Only Python's own library is used: nothing is installed yet.

settings     what the user asked for: SKERRY_* and the command line
ui           what the user sees; SetupError, the one way in which anything here fails
reach        may another user get at this file?
packages     operating-system packages
accounts     the users that the two programs run as, and running a program as one of them
subids       their subordinate ids
subids       their subordinate ids
environment  the virtual environment and the project in it
podman_host  what rootless Podman needs of this host; the base image
processes    start a program, know it again later, stop it
server       the server: data folder, first user, token, start, readiness
runner       the runner: registration, start
api          a small client of the server's REST API
sample       the sample project: push, watch the pipeline
supervise    both programs: keep running, stop
commands     the commands themselves
"""
