/* SPDX-License-Identifier: MIT
 * One allocation of the service as memory of GStreamer's.
 *
 * The allocation keeps the descriptors, and memory borrows them: a buffer whose memory is gone, in whatever way, is free
 * again, and the service need not be asked for another.  That memory may outlive pool and element, so everything that has to
 * do with an allocation lives as long as the last of it. */
#include "plugin.h"

#include <errno.h>
#include <gst/allocators/gstdmabuf.h>
#include <string.h>

struct Source {
	gint references;
	gboolean plain;

	GMutex calls; /* around the broker, which one thread uses at a time */
	struct dmabroker *broker;
	struct dmabroker_allocation *allocation;

	GMutex lock; /* around what follows; not held while the service is asked */
	GArray *unused; /* indices of buffers without memory */
};

/* What memory knows of its buffer.  Its allocator, which is for this memory alone, has it: that one goes when the memory is
 * not even mapped any more. */
typedef struct {
	Source *source;
	guint index;
} Slot;

static GQuark slot_quark(void)
{
	return g_quark_from_static_string("dmabroker-slot");
}

struct dmabroker *road_open(const Road *road, GError **error)
{
	struct dmabroker *broker;
	int r = dmabroker_open(&broker, road->bus);
	if (r < 0) {
		g_autofree char *text = r == -EHOSTUNREACH ? g_strdup("There is no dma-buf broker on the bus")
		                                            : g_strdup_printf("Cannot reach the dma-buf broker: %s", strerror(-r));
		set_refusal(error, r, text);
		return NULL;
	}
	r = dmabroker_set_timeout(broker, road->timeout);
	if (r < 0) {
		set_refusal(error, r, dmabroker_error(broker));
		g_clear_pointer(&broker, dmabroker_close);
	}
	return broker;
}

static Source *source_ref(Source *source)
{
	g_atomic_int_inc(&source->references);
	return source;
}

void source_unref(Source *source)
{
	if (!g_atomic_int_dec_and_test(&source->references))
		return;
	dmabroker_allocation_release(source->allocation);
	dmabroker_close(source->broker);
	g_array_unref(source->unused);
	g_mutex_clear(&source->calls);
	g_mutex_clear(&source->lock);
	g_free(source);
}

static void add_unused(Source *source, guint from)
{
	guint count = dmabroker_allocation_count(source->allocation);
	g_mutex_lock(&source->lock);
	for (guint index = count; index > from; index--) {
		guint each = index - 1;
		g_array_append_val(source->unused, each);
	}
	g_mutex_unlock(&source->lock);
}

Source *source_new(const Road *road, struct dmabroker_request *request, guint n, GError **error)
{
	struct dmabroker *broker = road_open(road, error);
	if (broker == NULL)
		return NULL;
	struct dmabroker_allocation *allocation;
	int r = dmabroker_request_set_count(request, n);
	if (r < 0)
		set_refusal(error, r, dmabroker_request_error(request));
	else if ((r = dmabroker_allocate(broker, request, &allocation)) < 0)
		set_refusal(error, r, dmabroker_error(broker));
	if (r < 0) {
		dmabroker_close(broker);
		return NULL;
	}
	Source *source = g_new0(Source, 1);
	source->references = 1;
	source->broker = broker;
	source->allocation = allocation;
	source->unused = g_array_new(FALSE, FALSE, sizeof(guint));
	g_mutex_init(&source->calls);
	g_mutex_init(&source->lock);
	int fd = dmabroker_allocation_fd(allocation, 0);
	source->plain = dmabroker_cpu_begin(fd, DMABROKER_CPU_READ) == -ENOTTY;
	if (!source->plain)
		dmabroker_cpu_end(fd, DMABROKER_CPU_READ);
	add_unused(source, 0);
	return source;
}

const struct dmabroker_layout *source_layout(const Source *source)
{
	return dmabroker_allocation_layout(source->allocation);
}

gboolean source_is_plain(const Source *source)
{
	return source->plain;
}

gboolean is_of_source(GstMemory *memory)
{
	/* A part of other memory is its own object. */
	while (memory->parent != NULL)
		memory = memory->parent;
	return memory->allocator != NULL && g_object_get_qdata(G_OBJECT(memory->allocator), slot_quark()) != NULL;
}

static void memory_is_gone(gpointer data)
{
	Slot *slot = data;
	Source *source = slot->source;
	g_mutex_lock(&source->lock);
	g_array_append_val(source->unused, slot->index);
	g_mutex_unlock(&source->lock);
	source_unref(source);
	g_free(slot);
}

static gboolean pop_unused(Source *source, guint *index)
{
	g_mutex_lock(&source->lock);
	guint n = source->unused->len;
	if (n > 0) {
		*index = g_array_index(source->unused, guint, n - 1);
		g_array_set_size(source->unused, n - 1);
	}
	g_mutex_unlock(&source->lock);
	return n > 0;
}

GstMemory *source_take(Source *source, GError **error)
{
	guint index;
	g_mutex_lock(&source->calls);
	while (!pop_unused(source, &index)) {
		guint before = dmabroker_allocation_count(source->allocation);
		int r = dmabroker_extend(source->allocation, 1);
		if (r < 0) {
			set_refusal(error, r, dmabroker_error(source->broker));
			g_mutex_unlock(&source->calls);
			return NULL;
		}
		add_unused(source, before);
	}
	int fd = dmabroker_allocation_fd(source->allocation, index);
	gsize size = source_layout(source)->size;
	g_mutex_unlock(&source->calls);

	/* The memory is used again and again: it stays mapped once it was. */
	GstFdMemoryFlags flags = GST_FD_MEMORY_FLAG_DONT_CLOSE | GST_FD_MEMORY_FLAG_KEEP_MAPPED;
	GstAllocator *allocator = source->plain ? gst_fd_allocator_new() : gst_dmabuf_allocator_new();
	Slot *slot = g_new(Slot, 1);
	*slot = (Slot){ .source = source_ref(source), .index = index };
	g_object_set_qdata_full(G_OBJECT(allocator), slot_quark(), slot, memory_is_gone);
	GstMemory *memory = source->plain ? gst_fd_allocator_alloc(allocator, fd, size, flags)
	                                  : gst_dmabuf_allocator_alloc_with_flags(allocator, fd, size, flags);
	if (memory == NULL)
		set_refusal(error, -EIO, "GStreamer makes no memory of the descriptor");
	gst_object_unref(allocator);
	return memory;
}
