"""The command line's sentences, spelled for Python."""

import pytest

from exp_core.api.spelled import in_python


@pytest.mark.parametrize(
    ("said", "spelled"),
    [
        ("--threads 4096 is more than the 2 cores", "threads=4096 is more than the 2 cores"),
        ("--budget 393 or smaller sizes would admit it", "budget=393 or smaller sizes would admit it"),
        ("does not take int8; --dtype float64", 'does not take int8; dtype="float64"'),
        ("it has no --row; it has --rows, --cols", "it has no row; it has rows, cols"),
        ("--metal --emulate checks it here", 'device="metal", emulate=True checks it here'),
        ("--with cannot read x.py", "with_ cannot read x.py"),
        ("leave out --processes", "leave out processes"),
        ("--n 1e6 makes", "n=1e6 makes"),
        ("--save-every 5", "save_every=5"),
        ("made for q'' = a(q); --problem kepler", "made for q'' = a(q); problem=\"kepler\""),
        ("--data words.txt: no such file", 'data="words.txt": no such file'),
        ("--data: the name of a data set", "data: the name of a data set"),
        ("train one: python -m dl_exp gpt --steps 2000", 'train one: dl_exp.train("gpt", steps=2000)'),
        ("python -m dl_exp gpt", 'dl_exp.run("gpt")'),
        ("python -m maths_exp qr --rows 5 --cold, then", 'maths_exp.run("qr", rows=5, cold=True), then'),
        ("unless --no-store keeps it out", "unless store=False keeps it out"),
        ("a -- b --", "a -- b --"),
        ("hatch--test", "hatch--test"),
        ("python -m maths_exp lists them", "maths_exp.experiments() lists them"),
    ],
)  # fmt: skip
def test_options_become_arguments(said, spelled):
    assert in_python(said, "maths_exp") == spelled
