"""The machine: what it is, which devices it has, how many threads run, and what it can do at best."""

from exp_core.machine.cache import peaks
from exp_core.machine.cores import usable_cores
from exp_core.machine.description import Machine, describe
from exp_core.machine.devices import DEVICES, Device, DeviceMissing, DeviceName, devices, require
from exp_core.machine.memory import available_memory
from exp_core.machine.roofline import Bandwidth, Peaks
from exp_core.machine.threads import ThreadLimit, thread_environment, thread_limit, verify_threads

__all__ = [
    "DEVICES",
    "Bandwidth",
    "Device",
    "DeviceMissing",
    "DeviceName",
    "Machine",
    "Peaks",
    "ThreadLimit",
    "available_memory",
    "describe",
    "devices",
    "peaks",
    "require",
    "thread_environment",
    "thread_limit",
    "usable_cores",
    "verify_threads",
]
