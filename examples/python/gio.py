#!/usr/bin/env python3
"""Allocates an image with PyGObject, maps it, and checks that it is zeroed."""

import mmap
import sys

from gi.repository import Gio, GLib

BUS = Gio.BusType.SYSTEM if "--system" in sys.argv else Gio.BusType.SESSION

bus = Gio.bus_get_sync(BUS)
devices = [("cpu", {"uses": GLib.Variant("as", ["read", "write"])})]
image = {
    "width": GLib.Variant("u", 640),
    "height": GLib.Variant("u", 480),
    "format": GLib.Variant("s", "XR24"),
}
# The reply's handles are indices into the list of descriptors that comes with it.
reply, fd_list = bus.call_with_unix_fd_list_sync(
    "org.dmabroker1",
    "/org/dmabroker1",
    "org.dmabroker1.Broker",
    "Allocate",
    GLib.Variant("(a(sa{sv})a{sv})", (devices, image)),
    GLib.VariantType("(oa{sv}ah)"),
    Gio.DBusCallFlags.NONE,
    -1,
    None,
)
allocation, layout, handles = reply.unpack()
[(offset, pitch)] = layout["planes"]
with open(fd_list.get(handles[0]), "r+b", buffering=0) as buffer:
    with mmap.mmap(buffer.fileno(), layout["size"]) as memory:
        memory[offset : offset + pitch] = b"\x80" * pitch
        is_zeroed = not any(memory[offset + pitch : layout["size"]])
print(f"pitch {pitch} bytes, size {layout['size']} bytes, {'zeroed' if is_zeroed else 'NOT ZEROED'}")
