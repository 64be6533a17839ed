// Ways that import the buffer on a card.
#ifndef CARDS_H
#define CARDS_H
#include "held.h"
#include <libdrm/drm.h>
#include <libdrm/drm_fourcc.h>
#include <libdrm/drm_mode.h>

enum { PITCH = 512 };

static int open_card(struct held *held)
{
	held->own = open(held->node, O_RDWR | O_CLOEXEC);
	return held->own < 0 ? refused(held, "open") : KEPT;
}

static void close_handle(int card, uint32_t handle)
{
	struct drm_gem_close end = { .handle = handle };
	ioctl(card, DRM_IOCTL_GEM_CLOSE, &end);
}

static int keep_handle(struct held *held)
{
	if (open_card(held) != KEPT)
		return REFUSED;
	struct drm_prime_handle import = { .fd = held->fd };
	if (ioctl(held->own, DRM_IOCTL_PRIME_FD_TO_HANDLE, &import) < 0)
		return refused(held, "PRIME_FD_TO_HANDLE");
	held->handle = import.handle;
	return KEPT;
}

static int exported(struct held *held, uint32_t handle)
{
	struct drm_prime_handle export = { .handle = handle, .flags = O_CLOEXEC | O_RDWR };
	return ioctl(held->own, DRM_IOCTL_PRIME_HANDLE_TO_FD, &export) < 0 ? -1 : export.fd;
}

static int read_handle(struct held *held, int place, unsigned char *bytes)
{
	return touch_fd(held, exported(held, held->handle), place, bytes, NULL);
}

static int write_handle(struct held *held, int place, const unsigned char *bytes)
{
	return touch_fd(held, exported(held, held->handle), place, NULL, bytes);
}

// A mapping of the card's own file: where the card made the buffer, it is the object itself that is mapped.
static int keep_card_mapping(struct held *held)
{
	if (keep_handle(held) != KEPT)
		return REFUSED;
	struct drm_mode_map_dumb map = { .handle = held->handle };
	if (ioctl(held->own, DRM_IOCTL_MODE_MAP_DUMB, &map) < 0)
		return refused(held, "MODE_MAP_DUMB");
	held->kept = map_whole(held->own, held->size, map.offset);
	if (held->kept == NULL)
		return refused(held, "mmap");
	close_handle(held->own, held->handle);
	close(held->own);
	return KEPT;
}

// A second file has the object by its global name.
static int keep_flink(struct held *held)
{
	if (keep_handle(held) != KEPT)
		return REFUSED;
	struct drm_gem_flink name = { .handle = held->handle };
	if (ioctl(held->own, DRM_IOCTL_GEM_FLINK, &name) < 0)
		return refused(held, "GEM_FLINK");
	int second = open(held->node, O_RDWR | O_CLOEXEC);
	struct drm_gem_open object = { .name = name.name };
	if (ioctl(second, DRM_IOCTL_GEM_OPEN, &object) < 0)
		return refused(held, "GEM_OPEN");
	close(held->own);
	held->own = second;
	held->handle = object.handle;
	return KEPT;
}

static int keep_framebuffer(struct held *held)
{
	if (keep_handle(held) != KEPT)
		return REFUSED;
	struct drm_mode_fb_cmd2 frame = {
		.width = PITCH / 4,
		.height = held->size / PITCH,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { held->handle },
		.pitches = { PITCH },
	};
	if (ioctl(held->own, DRM_IOCTL_MODE_ADDFB2, &frame) < 0)
		return refused(held, "ADDFB2");
	close_handle(held->own, held->handle);
	held->handle = frame.fb_id;
	return KEPT;
}

// Whoever is master of the card gets a handle of what a framebuffer shows.
static int touch_framebuffer(struct held *held, int place, unsigned char *to, const unsigned char *from)
{
	struct drm_mode_fb_cmd2 frame = { .fb_id = held->handle };
	if (ioctl(held->own, DRM_IOCTL_MODE_GETFB2, &frame) < 0 || frame.handles[0] == 0)
		return -1;
	int done = touch_fd(held, exported(held, frame.handles[0]), place, to, from);
	close_handle(held->own, frame.handles[0]);
	return done;
}

static int read_framebuffer(struct held *held, int place, unsigned char *bytes)
{
	return touch_framebuffer(held, place, bytes, NULL);
}

static int write_framebuffer(struct held *held, int place, const unsigned char *bytes)
{
	return touch_framebuffer(held, place, NULL, bytes);
}
#endif
