/* SPDX-License-Identifier: MIT */
#define WLR_USE_UNSTABLE
#include "dmabroker_allocator.h"

#include <dmabroker.h>
#include <stdlib.h>
#include <wlr/backend.h>
#include <wlr/interfaces/wlr_buffer.h>
#include <wlr/render/allocator.h>
#include <wlr/render/drm_format_set.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/util/log.h>

enum {
	PREFETCHED = 2, /* buffers of a call: a swapchain asks for one after the other, and needs two at least */
	TIMEOUT = 2000000, /* microseconds that a compositor may stand still */
	READ_WRITE = DMABROKER_CPU_READ | DMABROKER_CPU_WRITE,
};

struct allocator {
	struct wlr_allocator base; /* first */
	unsigned references; /* wlroots', and one of each batch */
	struct dmabroker *broker;
	struct dmabroker_request *request; /* the devices; the picture is set for each call */
	struct wlr_allocator *fallback; /* has the same capabilities */
	struct batch *newest; /* may have a buffer that was not asked for yet */
};

/* The buffers of one call. */
struct batch {
	struct allocator *allocator;
	struct dmabroker_allocation *allocation;
	uint32_t given, references; /* those of each buffer, and of the allocator's newest */
};

struct buffer {
	struct wlr_buffer base; /* first */
	struct batch *batch;
	struct dmabroker_layout layout;
	int fd; /* the allocation's */
	void *data;
};

/* Buffers may outlive the allocator. */
static void allocator_unref(struct allocator *allocator)
{
	if (--allocator->references > 0)
		return;
	dmabroker_request_free(allocator->request);
	dmabroker_close(allocator->broker);
	free(allocator);
}

static void batch_unref(struct batch *batch)
{
	if (batch == NULL || --batch->references > 0)
		return;
	dmabroker_allocation_release(batch->allocation);
	allocator_unref(batch->allocator);
	free(batch);
}

static void set_newest(struct allocator *allocator, struct batch *batch)
{
	batch_unref(allocator->newest);
	allocator->newest = batch;
}

static void buffer_destroy(struct wlr_buffer *base)
{
	struct buffer *buffer = (struct buffer *)base;
	struct batch *batch = buffer->batch;
	dmabroker_unmap(buffer->data, buffer->layout.size);
	free(buffer);
	/* A batch without buffers in use is not kept for the next time. */
	if (batch->allocator->newest == batch && batch->references == 2)
		set_newest(batch->allocator, NULL);
	batch_unref(batch);
}

static bool buffer_get_dmabuf(struct wlr_buffer *base, struct wlr_dmabuf_attributes *attributes)
{
	const struct buffer *buffer = (const struct buffer *)base;
	const struct dmabroker_layout *layout = &buffer->layout;
	*attributes = (struct wlr_dmabuf_attributes){ .width = base->width, .height = base->height, .format = layout->format,
		.modifier = layout->modifier, .n_planes = (int)layout->n_planes };
	for (uint32_t plane = 0; plane < layout->n_planes; plane++) {
		attributes->offset[plane] = layout->offset[plane];
		attributes->stride[plane] = layout->stride[plane];
		attributes->fd[plane] = buffer->fd;
	}
	return true;
}

static bool buffer_begin_access(struct wlr_buffer *base, uint32_t flags, void **data, uint32_t *format, size_t *stride)
{
	struct buffer *buffer = (struct buffer *)base;
	const struct dmabroker_layout *layout = &buffer->layout;
	(void)flags;
	if (layout->n_planes != 1 || layout->cpu_access == DMABROKER_CPU_NONE ||
	    (buffer->data == NULL && dmabroker_map(buffer->fd, layout->size, READ_WRITE, &buffer->data) < 0))
		return false;
	dmabroker_cpu_begin(buffer->fd, READ_WRITE);
	*data = (char *)buffer->data + layout->offset[0];
	*format = layout->format;
	*stride = layout->stride[0];
	return true;
}

static void buffer_end_access(struct wlr_buffer *base)
{
	dmabroker_cpu_end(((struct buffer *)base)->fd, READ_WRITE);
}

static bool suits(const struct batch *batch, int width, int height, const struct wlr_drm_format *format)
{
	if (batch == NULL || batch->given == dmabroker_allocation_count(batch->allocation))
		return false;
	const struct dmabroker_layout *layout = dmabroker_allocation_layout(batch->allocation);
	size_t i = 0;
	while (i < format->len && format->modifiers[i] != layout->modifier)
		i++;
	return i < format->len && layout->width == (uint32_t)width && layout->height == (uint32_t)height &&
		layout->format == format->format;
}

static struct batch *allocate(struct allocator *allocator, int width, int height, const struct wlr_drm_format *format)
{
	struct dmabroker_request *request = allocator->request;
	struct batch *batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return NULL;
	*batch = (struct batch){ .allocator = allocator, .references = 1 };
	allocator->references++;
	if (dmabroker_request_set_image(request, (uint32_t)width, (uint32_t)height, format->format) >= 0 &&
	    dmabroker_request_set_modifiers(request, format->modifiers, format->len) >= 0 &&
	    dmabroker_allocate(allocator->broker, request, &batch->allocation) >= 0)
		return batch;
	wlr_log(WLR_INFO, "dma-buf broker: %s %s", dmabroker_request_error(request), dmabroker_error(allocator->broker));
	batch_unref(batch);
	return NULL;
}

static struct wlr_buffer *create_buffer(struct wlr_allocator *base, int width, int height, const struct wlr_drm_format *format)
{
	static const struct wlr_buffer_impl impl = { .destroy = buffer_destroy, .get_dmabuf = buffer_get_dmabuf,
		.begin_data_ptr_access = buffer_begin_access, .end_data_ptr_access = buffer_end_access };
	struct allocator *allocator = (struct allocator *)base;
	if (!suits(allocator->newest, width, height, format))
		set_newest(allocator, allocate(allocator, width, height, format));
	struct batch *batch = allocator->newest;
	struct buffer *buffer = batch != NULL ? calloc(1, sizeof(*buffer)) : NULL;
	if (buffer != NULL) {
		batch->references++;
		buffer->batch = batch;
		buffer->layout = *dmabroker_allocation_layout(batch->allocation);
		buffer->fd = dmabroker_allocation_fd(batch->allocation, batch->given++);
		wlr_buffer_init(&buffer->base, &impl, width, height);
		return &buffer->base;
	}
	return wlr_allocator_create_buffer(allocator->fallback, width, height, format);
}

static void allocator_destroy(struct wlr_allocator *base)
{
	struct allocator *allocator = (struct allocator *)base;
	set_newest(allocator, NULL);
	wlr_allocator_destroy(allocator->fallback);
	allocator_unref(allocator);
}

static bool prepare(struct allocator *allocator, int display, int gpu, const char *bus)
{
	if (dmabroker_open(&allocator->broker, bus) < 0 || dmabroker_request_new(&allocator->request) < 0)
		return false;
	struct dmabroker_request *request = allocator->request;
	return dmabroker_set_timeout(allocator->broker, TIMEOUT) >= 0 && dmabroker_request_set_count(request, PREFETCHED) >= 0 &&
		dmabroker_request_set_label(request, "wlroots") >= 0 &&
		(display < 0 || dmabroker_request_add_fd(request, display, DMABROKER_USE_SCANOUT) >= 0) &&
		(gpu >= 0 ? dmabroker_request_add_fd(request, gpu, DMABROKER_USE_RENDER)
		          : dmabroker_request_add_device(request, "cpu", DMABROKER_USE_READ | DMABROKER_USE_WRITE)) >= 0;
}

struct wlr_allocator *dmabroker_allocator_create(struct wlr_backend *backend, struct wlr_renderer *renderer, const char *bus)
{
	static const struct wlr_allocator_interface impl = { .create_buffer = create_buffer, .destroy = allocator_destroy };
	struct wlr_allocator *fallback = wlr_allocator_autocreate(backend, renderer);
	struct allocator *allocator = fallback != NULL ? calloc(1, sizeof(*allocator)) : NULL;
	if (allocator == NULL)
		return fallback;
	*allocator = (struct allocator){ .references = 1, .fallback = fallback };
	if (!prepare(allocator, wlr_backend_get_drm_fd(backend), wlr_renderer_get_drm_fd(renderer), bus)) {
		wlr_log(WLR_INFO, "no dma-buf broker: wlroots allocates itself");
		allocator_unref(allocator);
		return fallback;
	}
	wlr_allocator_init(&allocator->base, &impl, fallback->buffer_caps & (WLR_BUFFER_CAP_DMABUF | WLR_BUFFER_CAP_DATA_PTR));
	return &allocator->base;
}
