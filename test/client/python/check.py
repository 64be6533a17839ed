"""Uses every part of client/python/dmabroker.py with the daemon on the bus that is its argument."""

import errno
import os
import sys

import dmabroker

[_, BUS] = sys.argv


def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except (dmabroker.Error, ValueError) as error:
        return error
    raise AssertionError(f"{call} was not refused")


with dmabroker.Broker(BUS, timeout=60) as broker:
    request = dmabroker.Request(image=(64, 64, "NV12"), count=2, modifiers=[0], label="python")
    assert request.add_device("cpu", ["read", "write"], modifiers=[0], height_multiple=32) == 0
    allocation = broker.allocate(request)
    assert allocation.layout == dmabroker.Layout(
        64, 64, dmabroker.fourcc("NV12"), 0, ((0, 64), (4096, 64)), 6144, "cached"
    )
    assert allocation.path.startswith("/org/dmabroker1/allocation/")
    allocation.extend(1)
    assert len(allocation) == 3
    with allocation.map(0, read=True, write=True) as pixels:
        assert len(pixels) == 6144 and pixels[6143] == 0
        pixels[0] = 7
        kept = pixels[1:3]
        assert isinstance(refused(allocation.release), ValueError)
    assert isinstance(refused(lambda: pixels[0]), ValueError)
    kept[0] = 8
    with allocation.map(0, read=True) as pixels:
        assert pixels.readonly and pixels[:2] == bytes([7, 8])
    layout, text = broker.explain(request)
    assert layout == allocation.layout and "height-multiple 32" in text

    taken = allocation.take_fd(2)
    assert refused(allocation.fd, 2).errno == errno.EBADF
    assert refused(allocation.fd, 3).errno == errno.EINVAL

    clashing = dmabroker.Request(image=(640, 480, "XR24"))
    clashing.add_device("cpu", ["read"], pitch_exact=100, pitch_multiple=256)
    error = refused(broker.allocate, clashing)
    assert error.errno == errno.ENOTSUP
    assert {(one.entry, one.constraint, one.value, one.source) for one in error.constraints} == {
        (0, "pitch-exact", "100", "client"),
        (0, "pitch-multiple", "256", "client"),
    }
    assert broker.explain(clashing)[0] is None

    assert refused(dmabroker.Request, size=0).errno == errno.EINVAL
    assert isinstance(refused(request.add_device, "cpu", nonsense=1), ValueError)
    assert isinstance(refused(request.add_device, "cpu", ["eat"]), ValueError)
    memory = dmabroker.Request(size=100_000)
    memory.add_device("cpu")
    with broker.allocate(memory) as buffers:
        assert buffers.layout.size == 100_000 and buffers.layout.planes == ()
    assert isinstance(refused(lambda: len(buffers)), ValueError)

assert isinstance(refused(allocation.fd, 0), ValueError)
assert isinstance(refused(broker.allocate, memory), ValueError)
assert os.fstat(taken).st_size >= 6144
os.close(taken)
assert refused(dmabroker.Broker, "unix:path=/nonexistent").errno == errno.ENOTCONN
print("done")
