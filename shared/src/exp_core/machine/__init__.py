"""The machine: what it is, which devices it has, how many threads run, and what it can do at best."""

from exp_core.machine.cache import device_peaks, peaks
from exp_core.machine.cores import usable_cores
from exp_core.machine.description import Machine, describe
from exp_core.machine.devices import DEVICES, Device, DeviceMissing, DeviceName, devices, require
from exp_core.machine.in_turns import Rate, out_of_turn, pacemakers
from exp_core.machine.memory import MEMORY_SHARE, available_memory
from exp_core.machine.roofline import Bandwidth, Peaks
from exp_core.machine.session import Limits, limits, limits_measured_anew
from exp_core.machine.threads import ThreadLimit, thread_environment, thread_limit, verify_threads

__all__ = [
    "DEVICES",
    "MEMORY_SHARE",
    "Bandwidth",
    "Device",
    "DeviceMissing",
    "DeviceName",
    "Limits",
    "Machine",
    "Peaks",
    "Rate",
    "ThreadLimit",
    "available_memory",
    "describe",
    "device_peaks",
    "devices",
    "limits",
    "limits_measured_anew",
    "out_of_turn",
    "pacemakers",
    "peaks",
    "require",
    "thread_environment",
    "thread_limit",
    "usable_cores",
    "verify_threads",
]
