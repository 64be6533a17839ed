/* SPDX-License-Identifier: MIT
 * Uses the allocator as an output does, without a display: draws, resizes, and lets a buffer outlive the allocator. */
#define WLR_USE_UNSTABLE
#include "dmabroker_allocator.h"

#include <assert.h>
#include <drm_fourcc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wlr/backend/headless.h>
#include <wlr/render/allocator.h>
#include <wlr/render/drm_format_set.h>
#include <wlr/render/pixman.h>
#include <wlr/types/wlr_buffer.h>

static void draw(struct wlr_buffer *buffer, int byte)
{
	void *data;
	uint32_t format;
	size_t stride;
	assert(wlr_buffer_begin_data_ptr_access(buffer, WLR_BUFFER_DATA_PTR_ACCESS_WRITE, &data, &format, &stride));
	assert(format == DRM_FORMAT_XRGB8888 && stride >= (size_t)buffer->width * 4);
	memset(data, byte, stride * (size_t)buffer->height);
	wlr_buffer_end_data_ptr_access(buffer);
}

/* Whether it is one of the broker's: wlroots' own, without a GPU, is no dma-buf. */
static bool is_brokered(struct wlr_buffer *buffer)
{
	struct wlr_dmabuf_attributes attributes;
	return wlr_buffer_get_dmabuf(buffer, &attributes) && attributes.n_planes == 1 &&
		attributes.stride[0] >= (uint32_t)buffer->width * 4 && lseek(attributes.fd[0], 0, SEEK_END) > 0;
}

int main(int argc, char **argv)
{
	const uint64_t modifiers[] = { DRM_FORMAT_MOD_INVALID, DRM_FORMAT_MOD_LINEAR };
	struct wlr_drm_format_set set = { 0 };
	struct wl_event_loop *loop = wl_event_loop_create();
	struct wlr_backend *backend = wlr_headless_backend_create(loop);
	struct wlr_renderer *renderer = wlr_pixman_renderer_create();
	if (argc != 2)
		return 2;
	for (size_t i = 0; i < 2; i++)
		wlr_drm_format_set_add(&set, DRM_FORMAT_XRGB8888, modifiers[i]);
	const struct wlr_drm_format *format = wlr_drm_format_set_get(&set, DRM_FORMAT_XRGB8888);
	struct wlr_allocator *allocator = dmabroker_allocator_create(backend, renderer, argv[1]);
	struct wlr_buffer *first[3], *second;
	for (int i = 0; i < 3; i++) {
		first[i] = wlr_allocator_create_buffer(allocator, 640, 480, format);
		draw(first[i], i);
	}
	second = wlr_allocator_create_buffer(allocator, 1366, 768, format);
	draw(second, 0xff);
	/* Larger than any buffer may be: the fallback's, if anything. */
	struct wlr_buffer *huge = wlr_allocator_create_buffer(allocator, 60000, 60000, format);
	printf("brokered %d %d %d huge %d\n", is_brokered(first[0]), is_brokered(first[2]), is_brokered(second),
		huge != NULL && is_brokered(huge));
	if (huge != NULL)
		wlr_buffer_drop(huge);
	for (int i = 0; i < 3; i++)
		wlr_buffer_drop(first[i]);
	wlr_allocator_destroy(allocator);
	draw(second, 0);
	wlr_buffer_drop(second);
	wlr_drm_format_set_finish(&set);
	wlr_renderer_destroy(renderer);
	wlr_backend_destroy(backend);
	wl_event_loop_destroy(loop);
	return 0;
}
