/* SPDX-License-Identifier: MIT
 * The element: lets buffers through, and proposes a pool of the service's to what makes them. */
#include "plugin.h"

#include <gst/base/gstbasetransform.h>

#define DEFAULT_DEVICES "cpu:read,write"
#define DEFAULT_LABEL "gstreamer"
#define DEFAULT_TIMEOUT (5 * GST_SECOND)
#define MAX_TIMEOUT (3600 * GST_SECOND)

enum { PROP_0, PROP_DEVICES, PROP_BUS, PROP_LABEL, PROP_TIMEOUT };

typedef struct {
	GstBaseTransform parent;
	/* Properties, under the object's lock. */
	char *devices, *bus, *label;
	guint64 timeout; /* nanoseconds */

	GMutex lock; /* around the broker, which one thread uses at a time */
	struct dmabroker *broker; /* from PAUSED on; allocates nothing */
	gint failed; /* the last proposal was refused, and an error posted */
	gboolean warned;
} Dmabroker;

typedef GstBaseTransformClass DmabrokerClass;

static GType dmabroker_get_type(void);
G_DEFINE_TYPE(Dmabroker, dmabroker, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(dmabroker, "dmabroker", GST_RANK_NONE, dmabroker_get_type())

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
	Dmabroker *self = (Dmabroker *)object;
	GST_OBJECT_LOCK(self);
	switch (id) {
	case PROP_DEVICES:
		g_free(self->devices);
		self->devices = g_value_dup_string(value);
		break;
	case PROP_BUS:
		g_free(self->bus);
		self->bus = g_value_dup_string(value);
		break;
	case PROP_LABEL:
		g_free(self->label);
		self->label = g_value_dup_string(value);
		break;
	case PROP_TIMEOUT:
		self->timeout = g_value_get_uint64(value);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	Dmabroker *self = (Dmabroker *)object;
	GST_OBJECT_LOCK(self);
	switch (id) {
	case PROP_DEVICES:
		g_value_set_string(value, self->devices);
		break;
	case PROP_BUS:
		g_value_set_string(value, self->bus);
		break;
	case PROP_LABEL:
		g_value_set_string(value, self->label);
		break;
	case PROP_TIMEOUT:
		g_value_set_uint64(value, self->timeout);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(self);
}

/* bus of the result is the caller's. */
static Road road_of(Dmabroker *self)
{
	GST_OBJECT_LOCK(self);
	Road road = { .bus = g_strdup(self->bus), .timeout = MAX(self->timeout / GST_USECOND, 1) };
	GST_OBJECT_UNLOCK(self);
	return road;
}

/* The devices, and no picture yet. */
static struct dmabroker_request *devices_request(Dmabroker *self, gboolean takes_strides, Devices *devices, GError **error)
{
	struct dmabroker_request *request;
	int r = dmabroker_request_new(&request);
	if (r < 0) {
		set_refusal(error, r, "out of memory");
		return NULL;
	}
	GST_OBJECT_LOCK(self);
	g_autofree char *text = g_strdup(self->devices != NULL ? self->devices : DEFAULT_DEVICES);
	g_autofree char *label = g_strdup(self->label != NULL ? self->label : DEFAULT_LABEL);
	GST_OBJECT_UNLOCK(self);
	r = dmabroker_request_set_label(request, label);
	if (r < 0)
		set_refusal(error, r, dmabroker_request_error(request));
	if (r < 0 || !add_devices(request, text, takes_strides, devices, error))
		g_clear_pointer(&request, dmabroker_request_free);
	return request;
}

static gboolean start(GstBaseTransform *transform)
{
	Dmabroker *self = (Dmabroker *)transform;
	GError *error = NULL;
	/* What is wrong in the property is said before anything flows. */
	Devices devices;
	struct dmabroker_request *request = devices_request(self, TRUE, &devices, &error);
	if (request != NULL) {
		dmabroker_request_free(request);
		Road road = road_of(self);
		self->broker = road_open(&road, &error);
		g_free(road.bus);
	}
	g_atomic_int_set(&self->failed, FALSE);
	self->warned = FALSE;
	if (self->broker != NULL)
		return TRUE;
	post_error(GST_ELEMENT(self), error);
	g_error_free(error);
	return FALSE;
}

static gboolean stop(GstBaseTransform *transform)
{
	Dmabroker *self = (Dmabroker *)transform;
	g_mutex_lock(&self->lock);
	g_clear_pointer(&self->broker, dmabroker_close);
	g_mutex_unlock(&self->lock);
	return TRUE;
}

static gboolean set_count(struct dmabroker_request *request, guint min, GError **error)
{
	int r = dmabroker_request_set_count(request, min);
	if (r < 0)
		set_refusal(error, r, dmabroker_request_error(request));
	return r >= 0;
}

static gboolean explain(Dmabroker *self, struct dmabroker_request *request, struct dmabroker_layout *layout, GError **error)
{
	char *text = NULL;
	g_mutex_lock(&self->lock);
	int r = self->broker != NULL ? dmabroker_explain(self->broker, request, layout, &text) : -ENOTCONN;
	if (r < 0)
		set_refusal(error, r, self->broker != NULL ? dmabroker_error(self->broker) : "the element is stopping");
	g_mutex_unlock(&self->lock);
	if (r == 0)
		set_refusal(error, -ENOTSUP, g_strchomp(text));
	else if (r > 0)
		GST_DEBUG_OBJECT(self, "%s", text);
	free(text);
	return r > 0;
}

/* How many buffers the pool begins with: what downstream holds, and what the devices need. */
static guint least_buffers(GstQuery *query, const Devices *devices)
{
	guint min = (guint)CLAMP(devices->min_buffers, 1, G_MAXUINT);
	for (guint n = gst_query_get_n_allocation_pools(query); n > 0; n--) {
		guint each;
		gst_query_parse_nth_allocation_pool(query, n - 1, NULL, NULL, &each, NULL);
		min = MAX(min, each);
	}
	return min;
}

/* What downstream proposed gives way to the pool. */
static void propose(GstQuery *query, GstBufferPool *pool, const struct dmabroker_layout *layout, guint min)
{
	for (guint n = gst_query_get_n_allocation_pools(query); n > 0; n--)
		gst_query_remove_nth_allocation_pool(query, n - 1);
	gst_query_add_allocation_pool(query, pool, (guint)layout->size, min, 0);
}

static gboolean make_proposal(Dmabroker *self, GstQuery *query, GstCaps *caps, const Picture *picture, GError **error)
{
	gboolean takes_strides = gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
	struct dmabroker_layout layout;
	Devices devices;
	struct dmabroker_request *request = devices_request(self, takes_strides, &devices, error);
	if (request == NULL)
		return FALSE;
	guint min = least_buffers(query, &devices);
	gboolean good = set_picture(request, &devices, picture, error) && set_count(request, min, error) &&
		explain(self, request, &layout, error);
	if (good && !can_count(&layout)) {
		set_refusal(error, -ENOTSUP, "GStreamer cannot say how large these buffers are");
		good = FALSE;
	}
	if (good && !takes_strides && !is_default_layout(picture, &layout)) {
		set_refusal(error, -ENOTSUP, "The devices need another layout than GStreamer's own");
		good = FALSE;
	}
	if (!good) {
		dmabroker_request_free(request);
		if (!takes_strides)
			add_hint(error, "Downstream understands no GstVideoMeta, so strides have to be GStreamer's own: a row, rounded up "
				"to 4 bytes (pitch-exact 4).");
		return FALSE;
	}
	Road road = road_of(self);
	GstBufferPool *pool = broker_pool_new(GST_ELEMENT(self), &road, request, caps, picture, &layout, min);
	g_free(road.bus);
	propose(query, pool, &layout, min);
	gst_object_unref(pool);
	return TRUE;
}

static gboolean propose_allocation(GstBaseTransform *transform, GstQuery *decided, GstQuery *query)
{
	Dmabroker *self = (Dmabroker *)transform;
	GstCaps *caps;
	Picture picture;
	GError *error = NULL;
	/* Asks downstream; where it has nothing to say, the pool is proposed all the same. */
	GST_BASE_TRANSFORM_CLASS(dmabroker_parent_class)->propose_allocation(transform, decided, query);
	gst_query_parse_allocation(query, &caps, NULL);
	if (caps == NULL || !picture_from_caps(caps, &picture)) {
		GST_WARNING_OBJECT(self, "no picture that the broker can be asked for: %" GST_PTR_FORMAT, caps);
		return FALSE;
	}
	if (make_proposal(self, query, caps, &picture, &error)) {
		g_atomic_int_set(&self->failed, FALSE);
		return TRUE;
	}
	g_atomic_int_set(&self->failed, TRUE);
	post_error(GST_ELEMENT(self), error);
	g_error_free(error);
	return FALSE;
}

static GstFlowReturn transform_ip(GstBaseTransform *transform, GstBuffer *buffer)
{
	Dmabroker *self = (Dmabroker *)transform;
	/* What upstream makes of a refusal is memory of its own, which the devices need not be able to use. */
	if (g_atomic_int_get(&self->failed))
		return GST_FLOW_ERROR;
	if (!self->warned && gst_buffer_n_memory(buffer) > 0 && !is_of_source(gst_buffer_peek_memory(buffer, 0))) {
		self->warned = TRUE;
		GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS, ("Buffers are not from the dma-buf broker."),
			("Upstream does not use the pool that is proposed to it. For v4l2src, set io-mode=dmabuf-import."));
	}
	return GST_FLOW_OK;
}

static void finalize(GObject *object)
{
	Dmabroker *self = (Dmabroker *)object;
	g_free(self->devices);
	g_free(self->bus);
	g_free(self->label);
	g_mutex_clear(&self->lock);
	G_OBJECT_CLASS(dmabroker_parent_class)->finalize(object);
}

static void dmabroker_class_init(DmabrokerClass *class)
{
	GObjectClass *object = G_OBJECT_CLASS(class);
	GstElementClass *element = GST_ELEMENT_CLASS(class);
	const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
	object->set_property = set_property;
	object->get_property = get_property;
	object->finalize = finalize;
	g_object_class_install_property(object, PROP_DEVICES,
		g_param_spec_string("devices", "Devices",
			"Who touches the buffers, as DEVICE:USE,... with spaces between devices: '/dev/video0:capture "
			"/dev/dri/card0:scanout'. Uses: scanout, render, texture, decode, encode, capture, output, read, write. "
			"Limits can stand beside the uses, as in dmabrokerctl(1): with a number (pitch-multiple=256) pitch-multiple, "
			"pitch-exact, pitch-min, pitch-max, offset-multiple, height-multiple, size-multiple, max-width, max-height, "
			"address-bits, min-buffers; alone or with true or false pitch-linked, contiguous, protected",
			DEFAULT_DEVICES, flags));
	g_object_class_install_property(object, PROP_BUS,
		g_param_spec_string("bus", "Bus", "'system', 'session' or a D-Bus address; unset: $DMABROKER_BUS, or the system bus",
			NULL, flags));
	g_object_class_install_property(object, PROP_LABEL,
		g_param_spec_string("label", "Label", "What kernel tools show of the buffers, at most 31 bytes", DEFAULT_LABEL, flags));
	g_object_class_install_property(object, PROP_TIMEOUT,
		g_param_spec_uint64("timeout", "Timeout", "How long the broker may take to answer (ns)", GST_USECOND, MAX_TIMEOUT,
			DEFAULT_TIMEOUT, flags));
	gst_element_class_set_static_metadata(element, "dma-buf broker", "Filter/Video",
		"Has upstream write into dma-bufs that every named device can use, from org.dmabroker1",
		"the dmabroker maintainers");
	GstCaps *caps = picture_caps();
	gst_element_class_add_pad_template(element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
	gst_element_class_add_pad_template(element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
	gst_caps_unref(caps);
	class->start = start;
	class->stop = stop;
	class->propose_allocation = propose_allocation;
	class->transform_ip = transform_ip;
}

static void dmabroker_init(Dmabroker *self)
{
	g_mutex_init(&self->lock);
	self->devices = g_strdup(DEFAULT_DEVICES);
	self->label = g_strdup(DEFAULT_LABEL);
	self->timeout = DEFAULT_TIMEOUT;
	gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
