#!/usr/bin/env python3
"""Allocates an image with dbus-python, maps it, and checks that it is zeroed."""

import mmap
import os
import sys

import dbus

bus = dbus.SystemBus() if "--system" in sys.argv else dbus.SessionBus()
broker = dbus.Interface(
    bus.get_object("org.dmabroker1", "/org/dmabroker1"), "org.dmabroker1.Broker"
)
devices = [("cpu", {"uses": dbus.Array(["read", "write"], signature="s")})]
image = {"width": dbus.UInt32(640), "height": dbus.UInt32(480), "format": "XR24"}
allocation, layout, descriptors = broker.Allocate(devices, image)
[(offset, pitch)] = layout["planes"]
fd = descriptors[0].take()
try:
    with mmap.mmap(fd, layout["size"]) as memory:
        memory[offset : offset + pitch] = b"\x80" * pitch
        is_zeroed = not any(memory[offset + pitch : layout["size"]])
finally:
    os.close(fd)
broker.Release(allocation)
print(f"pitch {pitch} bytes, size {layout['size']} bytes, {'zeroed' if is_zeroed else 'NOT ZEROED'}")
