/* SPDX-License-Identifier: MIT
 * The pool that the element proposes.  It asks the service when it is activated, and then grows by one buffer at a time. */
#include "plugin.h"

#include <errno.h>
#include <string.h>

typedef struct {
	GstBufferPool parent;
	GWeakRef element;
	Road road;
	struct dmabroker_request *request;
	GstCaps *caps;
	Picture picture;
	struct dmabroker_layout layout;
	guint min; /* buffers to begin with, whatever the configuration says */
	Source *source; /* from start on, until every buffer is back after stop */
	gboolean started; /* the first buffers are there */
	gint buffers; /* that are alive */
	gint has_waited; /* and that was told */
} BrokerPool;

typedef GstBufferPoolClass BrokerPoolClass;

static GType broker_pool_get_type(void);
G_DEFINE_TYPE(BrokerPool, broker_pool, GST_TYPE_BUFFER_POOL)

static BrokerPool *of(GstBufferPool *pool)
{
	return (BrokerPool *)pool;
}

static void report(BrokerPool *pool, GError *error)
{
	g_autoptr(GstElement) element = g_weak_ref_get(&pool->element);
	GST_WARNING_OBJECT(pool, "%s", error->message);
	if (element != NULL)
		post_error(element, error);
	g_error_free(error);
}

/* Once: what holds on to its buffers until there are more of them would wait for ever, for no visible reason. */
static void report_waiting(BrokerPool *pool, GError *error)
{
	g_autoptr(GstElement) element = g_weak_ref_get(&pool->element);
	GST_INFO_OBJECT(pool, "waits for a buffer: %s", error->message);
	if (element != NULL && g_atomic_int_compare_and_exchange(&pool->has_waited, FALSE, TRUE)) {
		add_hint(&error, "The pipeline goes on with the buffers that it has.");
		post_warning(element, error);
	}
	g_error_free(error);
}

static const gchar **get_options(GstBufferPool *pool)
{
	static const gchar *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, NULL };
	(void)pool;
	return options;
}

static gboolean set_config(GstBufferPool *parent, GstStructure *config)
{
	BrokerPool *pool = of(parent);
	GstCaps *caps;
	guint size, min, max;
	if (!gst_buffer_pool_config_get_params(config, &caps, &size, &min, &max) || caps == NULL)
		return FALSE;
	gboolean has_meta = gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	/* Upstream may name the size of the picture with default strides, which means nothing beside others. */
	gsize enough = has_meta ? MAX(pool->layout.size, GST_VIDEO_INFO_SIZE(&pool->picture.info)) : pool->layout.size;
	if (!gst_caps_is_equal(caps, pool->caps) || size > enough) {
		GST_WARNING_OBJECT(pool, "not the picture that this pool is for: %" GST_PTR_FORMAT, config);
		return FALSE;
	}
	if (!has_meta && !is_default_layout(&pool->picture, &pool->layout)) {
		GST_WARNING_OBJECT(pool, "the devices need strides that take a GstVideoMeta: %" GST_PTR_FORMAT, config);
		return FALSE;
	}
	gst_buffer_pool_config_set_params(config, pool->caps, (guint)pool->layout.size, min, max);
	return GST_BUFFER_POOL_CLASS(broker_pool_parent_class)->set_config(parent, config);
}

/* What a device that came meanwhile, or another policy, would have changed. */
static gboolean is_as_proposed(const BrokerPool *pool, const Source *source, GError **error)
{
	const struct dmabroker_layout *got = source_layout(source);
	gsize planes = got->n_planes * sizeof(got->stride[0]);
	if (got->n_planes != pool->layout.n_planes || got->size != pool->layout.size ||
	    memcmp(got->stride, pool->layout.stride, planes) != 0 || memcmp(got->offset, pool->layout.offset, planes) != 0) {
		set_refusal(error, -EAGAIN, "The broker's decision changed between proposal and allocation");
		return FALSE;
	}
	if (source_is_plain(source) && pool->picture.only_dmabuf) {
		set_refusal(error, -ENOTSUP, "The caps want dma-bufs, and the broker has plain memory only");
		return FALSE;
	}
	return TRUE;
}

static gboolean stop(GstBufferPool *parent)
{
	BrokerPool *pool = of(parent);
	if (!GST_BUFFER_POOL_CLASS(broker_pool_parent_class)->stop(parent))
		return FALSE;
	pool->started = FALSE;
	g_clear_pointer(&pool->source, source_unref);
	return TRUE;
}

static gboolean start(GstBufferPool *parent)
{
	BrokerPool *pool = of(parent);
	GError *error = NULL;
	guint min = 0;
	GstStructure *config = gst_buffer_pool_get_config(parent);
	gst_buffer_pool_config_get_params(config, NULL, NULL, &min, NULL);
	gst_structure_free(config);
	Source *source = source_new(&pool->road, pool->request, MAX(min, pool->min), &error);
	if (source != NULL && !is_as_proposed(pool, source, &error))
		g_clear_pointer(&source, source_unref);
	if (source == NULL) {
		report(pool, error);
		return FALSE;
	}
	pool->source = source;
	pool->started = GST_BUFFER_POOL_CLASS(broker_pool_parent_class)->start(parent);
	/* GStreamer does not stop what it could not start. */
	if (!pool->started)
		stop(parent);
	return pool->started;
}

static void add_video_meta(const BrokerPool *pool, GstBuffer *buffer)
{
	const struct dmabroker_layout *layout = &pool->layout;
	gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
	gint stride[GST_VIDEO_MAX_PLANES] = { 0 };
	for (guint plane = 0; plane < layout->n_planes; plane++) {
		offset[plane] = layout->offset[plane];
		stride[plane] = (gint)layout->stride[plane];
	}
	gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&pool->picture.info),
		layout->width, layout->height, layout->n_planes, offset, stride);
}

static GstFlowReturn alloc_buffer(GstBufferPool *parent, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
	BrokerPool *pool = of(parent);
	GError *error = NULL;
	(void)params;
	GstMemory *memory = source_take(pool->source, &error);
	if (memory == NULL) {
		/* GStreamer asks with none in the queue, and at EOS waits for one to come back. */
		if (pool->started && g_atomic_int_get(&pool->buffers) > 0 &&
		    g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT)) {
			report_waiting(pool, error);
			return GST_FLOW_EOS;
		}
		report(pool, error);
		return GST_FLOW_ERROR;
	}
	g_atomic_int_inc(&pool->buffers);
	*buffer = gst_buffer_new();
	gst_buffer_append_memory(*buffer, memory);
	add_video_meta(pool, *buffer);
	return GST_FLOW_OK;
}

static void free_buffer(GstBufferPool *parent, GstBuffer *buffer)
{
	g_atomic_int_add(&of(parent)->buffers, -1);
	GST_BUFFER_POOL_CLASS(broker_pool_parent_class)->free_buffer(parent, buffer);
}

static void finalize(GObject *object)
{
	BrokerPool *pool = (BrokerPool *)object;
	g_clear_pointer(&pool->source, source_unref);
	g_weak_ref_clear(&pool->element);
	g_free(pool->road.bus);
	dmabroker_request_free(pool->request);
	gst_clear_caps(&pool->caps);
	G_OBJECT_CLASS(broker_pool_parent_class)->finalize(object);
}

static void broker_pool_class_init(BrokerPoolClass *class)
{
	G_OBJECT_CLASS(class)->finalize = finalize;
	class->get_options = get_options;
	class->set_config = set_config;
	class->start = start;
	class->stop = stop;
	class->alloc_buffer = alloc_buffer;
	class->free_buffer = free_buffer;
}

static void broker_pool_init(BrokerPool *pool)
{
	g_weak_ref_init(&pool->element, NULL);
}

GstBufferPool *broker_pool_new(GstElement *element, const Road *road, struct dmabroker_request *request, GstCaps *caps,
	const Picture *picture, const struct dmabroker_layout *layout, guint min)
{
	BrokerPool *pool = g_object_new(broker_pool_get_type(), NULL);
	g_object_ref_sink(pool);
	g_weak_ref_set(&pool->element, element);
	pool->road = (Road){ .bus = g_strdup(road->bus), .timeout = road->timeout };
	pool->request = request;
	pool->caps = gst_caps_ref(caps);
	pool->picture = *picture;
	pool->layout = *layout;
	pool->min = min;
	return GST_BUFFER_POOL(pool);
}
