// Ways that queue the buffer at a camera, which writes to it.
#ifndef CAMERAS_H
#define CAMERAS_H
#include "held.h"
#include <linux/videodev2.h>
#include <poll.h>

// As many as vivid wants before it begins.
enum { QUEUED = 3, WIDTH = 320, HEIGHT = 180, FRAME_WAIT = 500 };

static struct v4l2_buffer camera_buffer(const struct held *held, unsigned memory, unsigned index)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
		.index = index,
		.length = held->size,
	};
	if (memory == V4L2_MEMORY_DMABUF)
		buffer.m.fd = held->fd;
	else
		buffer.m.userptr = (uintptr_t)held->kept;
	return buffer;
}

static int keep_queued(struct held *held, unsigned memory)
{
	held->own = open(held->node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (held->own < 0)
		return refused(held, "open");
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	format.fmt.pix.width = WIDTH;
	format.fmt.pix.height = HEIGHT;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_GREY;
	if (ioctl(held->own, VIDIOC_S_FMT, &format) < 0)
		return refused(held, "VIDIOC_S_FMT");
	struct v4l2_requestbuffers request = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
		.count = QUEUED,
	};
	if (ioctl(held->own, VIDIOC_REQBUFS, &request) < 0)
		return refused(held, "VIDIOC_REQBUFS");
	held->kept = held->map;
	held->other = memory;
	for (unsigned index = 0; index < QUEUED; index++) {
		struct v4l2_buffer buffer = camera_buffer(held, memory, index);
		if (ioctl(held->own, VIDIOC_QBUF, &buffer) < 0)
			return refused(held, "VIDIOC_QBUF");
	}
	return KEPT;
}

static int keep_queued_dmabuf(struct held *held)
{
	return keep_queued(held, V4L2_MEMORY_DMABUF);
}

static int keep_queued_userptr(struct held *held)
{
	return keep_queued(held, V4L2_MEMORY_USERPTR);
}

// The camera writes a frame, over all but the last place.
static int write_frame(struct held *held, int place, const unsigned char *bytes)
{
	(void)bytes;
	if (place > 0)
		return -1;
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct pollfd ready = { .fd = held->own, .events = POLLIN };
	if (ioctl(held->own, VIDIOC_STREAMON, &type) < 0)
		return -1;
	if (poll(&ready, 1, FRAME_WAIT) != 1 || (ready.revents & POLLIN) == 0)
		return -1;
	struct v4l2_buffer buffer = { .type = type, .memory = held->other };
	if (ioctl(held->own, VIDIOC_DQBUF, &buffer) < 0)
		return -1;
	// At the address that it had, which the kernel looks up no second time. A descriptor is not there any more.
	if (held->other == V4L2_MEMORY_USERPTR)
		ioctl(held->own, VIDIOC_QBUF, &buffer);
	return 0;
}
#endif
