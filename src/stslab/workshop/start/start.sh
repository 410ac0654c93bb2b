#!/bin/sh
# Sets up .venv beside this file from wheels/, without a network, and opens the notebooks.
# `sh start.sh check` runs the doctor and notebook 01 instead; other words go to JupyterLab.
case $0 in
/*) here=$(dirname "$0") ;;
*) here=$(dirname "./$0") ;; # or a folder that begins with - would be an option
esac
CDPATH= cd "${here:?}" || exit 1 # with CDPATH it could be another folder of this name
unset PYTHONPATH PYTHONHOME

give_up() {
    echo "stslab: $1" >&2
    exit 1
}

case $(pwd -P) in
*:*) give_up "Python makes no environment in a folder with a colon in its path: $(pwd -P). Move \
or rename it." ;;
esac

fits() {
    "$1" -c 'import platform, sys
here = platform.system(), platform.machine(), "%d.%d" % sys.version_info[:2]
oldest = tuple(map(int, "@OLDEST@".split(".")))
sys.exit(here != ("@SYSTEM@", "@MACHINE@", "@PYTHON@") or sys.version_info[:3] < oldest)' 2>/dev/null
}

release() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

if [ ! -e .venv/ready ]; then
    others=
    for python in python@PYTHON@ python3 python none; do
        fits "$python" && break
        version=$(release "$python") && others="$others${others:+, }$python is $version"
    done
    [ "$python" != none ] || give_up "this kit needs @RELEASE@ on @NEEDS@, and \
found none${others:+ ($others)}. Install Python @PYTHON@, or ask for the kit of your system. START.txt says more."
    echo "Setting up .venv (once, a few minutes) …"
    rm -rf .venv
    "$python" -m venv .venv || give_up "$python made no environment. On Debian and Ubuntu install \
the package python@PYTHON@-venv; on a stick, copy this folder to the disk first."
    .venv/bin/python -m pip --isolated --disable-pip-version-check -q install --no-index \
        --find-links wheels -r requirements.txt || give_up "the packages were not installed (see \
above). They are for @NEEDS@, and take about 2.5 GB of disk."
    touch .venv/ready
fi

.venv/bin/python -m stslab.cli doctor
ready=$?

if [ "${1-}" != check ]; then
    exec .venv/bin/python -m stslab.cli lab --LabApp.default_url=/lab/tree/01_what_is_sts.ipynb "$@"
fi

run=$(mktemp -d) || exit 1
trap 'rm -rf "$run"' EXIT
.venv/bin/python -m papermill --log-level ERROR --no-progress-bar --kernel python3 --cwd notebooks \
    notebooks/01_what_is_sts.ipynb "$run/01.ipynb" 2>"$run/said" || {
    tail -n 5 "$run/said" >&2
    give_up "check failed: notebook 01 stopped (see above)."
}
[ "$ready" = 0 ] || give_up "check failed: notebook 01 ran to its end, but the doctor is not content."
echo "check passed: the doctor is content, and notebook 01 ran to its end."
