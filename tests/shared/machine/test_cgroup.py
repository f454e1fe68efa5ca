"""What a container allows, read from trees of files as the kernel writes them."""

from __future__ import annotations

import os

import pytest

from exp_core.machine.cgroup import cpu_quota, memory_left, memory_limit, throttled_periods
from exp_core.machine.cores import usable_cores
from exp_core.machine.memory import available_memory, total_memory


def write(root, files):
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert cpu_quota(tmp_path) is None
    assert memory_limit(tmp_path) is None
    assert memory_left(tmp_path) is None
    assert throttled_periods(tmp_path) == 0


def test_version_2_in_a_container(tmp_path):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 3\n",
        "sys/fs/cgroup/memory.max": "1000000\n",
        "sys/fs/cgroup/memory.current": "700000\n",
        "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 200000\n",
    }
    root = write(tmp_path, files)
    assert cpu_quota(root) == 1.5
    assert memory_limit(root) == 1_000_000
    assert memory_left(root) == 500_000
    assert throttled_periods(root) == 3


def test_the_smallest_limit_on_the_way_up_counts(tmp_path):
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
        "sys/fs/cgroup/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/a/b/memory.max": "900\n",
        "sys/fs/cgroup/a/memory.max": "max\n",
    }
    root = write(tmp_path, files)
    assert cpu_quota(root) == 2.0
    assert memory_limit(root) == 900


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
def test_version_1_under_either_name_of_the_controller(tmp_path, mount):
    files = {
        "proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n",
        f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": "250000\n",  # the path itself is the host's, and not to be seen here
        f"sys/fs/cgroup/{mount}/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "4096\n",
        "sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": "1096\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    root = write(tmp_path, files)
    assert cpu_quota(root) == 2.5
    assert (memory_limit(root), memory_left(root)) == (4096, 3000)


def test_version_1_without_a_limit(tmp_path):
    files = {
        "proc/self/cgroup": "1:cpu:/\n2:memory:/\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    root = write(tmp_path, files)
    assert cpu_quota(root) is None
    assert memory_limit(root) is None


def test_files_full_of_nonsense_are_no_limit(tmp_path):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/cpu.max": "lots\n",
        "sys/fs/cgroup/memory.max": "\x00\n",
    }
    root = write(tmp_path, files)
    assert cpu_quota(root) is None
    assert memory_limit(root) is None


@pytest.mark.parametrize(("quota", "cores"), [("50000", 1), ("100000", 1), ("190000", 1), ("99900000", None)])
def test_a_part_of_a_core_is_no_further_core(tmp_path, quota, cores):
    root = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{quota} 100000\n"})
    assert usable_cores(root) == (cores or usable_cores(tmp_path / "nothing"))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_only_cores_that_the_process_is_bound_to_count(tmp_path):
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)


def test_memory_is_no_more_than_the_container_allows(tmp_path):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "5000\n",
        "sys/fs/cgroup/memory.current": "2000\n",
    }
    root = write(tmp_path / "limited", files)
    assert (total_memory(root), available_memory(root)) == (5000, 3000)
    assert total_memory(tmp_path) >= available_memory(tmp_path) > 5000
