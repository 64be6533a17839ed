"""Fills buffers as a camera's consumer would (libdmabroker with Python): allocate, draw, hand over a descriptor.

client/python/dmabroker.py is the module; put it beside this file or on PYTHONPATH.
"""

import os
import sys

import dmabroker

BUS = "system" if sys.argv[1:] == ["--system"] else "session"

with dmabroker.Broker(BUS) as broker:
    request = dmabroker.Request(image=(640, 480, "XR24"), count=2, label="example")
    # This limit is our own, and no row can satisfy it. The conflict says so, and the next request leaves it out.
    cpu = request.add_device("cpu", ["read", "write"], pitch_exact=1, pitch_multiple=1000)
    try:
        broker.allocate(request)
    except dmabroker.Error as error:
        for one in error.constraints:
            print(f"clashes: {one.constraint} {one.value} of {one.device}")
    request = dmabroker.Request(image=(640, 480, "XR24"), count=2, label="example")
    request.add_device("cpu", ["read", "write"])
    with broker.allocate(request) as frames:
        offset, stride = frames.layout.planes[0]
        for index in range(len(frames)):
            with frames.map(index, write=True) as pixels:
                pixels[offset : offset + stride] = bytes([index + 1]) * stride
        with frames.map(1, read=True) as pixels:
            print(f"stride {stride} bytes, size {frames.layout.size} bytes, first byte {pixels[offset]}")
        # What a program passes to another, or imports into a device, is its own.
        taken = frames.take_fd(0)
os.close(taken)
