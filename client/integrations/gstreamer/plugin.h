/* SPDX-License-Identifier: MIT
 * What the files of the plugin share. */
#ifndef GST_DMABROKER_PLUGIN_H
#define GST_DMABROKER_PLUGIN_H
#include <dmabroker.h>
#include <gst/gst.h>
#include <gst/video/video.h>

GST_DEBUG_CATEGORY_EXTERN(dmabroker_debug);
#define GST_CAT_DEFAULT dmabroker_debug

/* --- element.c */

GST_ELEMENT_REGISTER_DECLARE(dmabroker);

/* --- devices.c */

/* What the property `devices` comes to. */
typedef struct {
	guint64 min_buffers; /* the sum over the devices, as the service counts it */
	guint64 tiled; /* the request's entries, bit by bit, for which modifiers mean something: those that are not the CPU's */
} Devices;

/* Adds what the property `devices` says.  Unless takes_strides, strides are those of GStreamer's own pictures. */
gboolean add_devices(struct dmabroker_request *request, const char *text, gboolean takes_strides, Devices *devices,
	GError **error);

/* --- formats.c */

/* A picture as caps have it, and as the service is asked for it. */
typedef struct {
	GstVideoInfo info;
	guint32 fourcc;
	guint64 modifier;
	gboolean only_dmabuf; /* the caps have memory:DMABuf */
} Picture;

GstCaps *picture_caps(void);
gboolean picture_from_caps(const GstCaps *caps, Picture *picture);
/* Whether the layout is the one that GStreamer has for the picture where no GstVideoMeta says otherwise. */
gboolean is_default_layout(const Picture *picture, const struct dmabroker_layout *layout);
/* Whether the layout's numbers fit in GStreamer's types. */
gboolean can_count(const struct dmabroker_layout *layout);
gboolean set_picture(struct dmabroker_request *request, const Devices *devices, const Picture *picture, GError **error);

/* --- refusal.c */

/* An errno of the library, as an error of GStreamer's. */
void set_refusal(GError **error, int result, const char *text);
void add_hint(GError **error, const char *hint);
void post_error(GstElement *element, const GError *error);
void post_warning(GstElement *element, const GError *error);

/* --- source.c */

/* Where a connection is made, and how long one of its calls takes, in microseconds. */
typedef struct {
	char *bus;
	guint64 timeout;
} Road;

struct dmabroker *road_open(const Road *road, GError **error);

/* A connection of its own and one allocation, alive as long as memory of it is. */
typedef struct Source Source;

/* Asks for the first n buffers. */
Source *source_new(const Road *road, struct dmabroker_request *request, guint n, GError **error);
void source_unref(Source *source);
const struct dmabroker_layout *source_layout(const Source *source);
/* Whether it is memory that no device imports, which is no dma-buf. */
gboolean source_is_plain(const Source *source);
/* A buffer's memory: one that is free, or one more. */
GstMemory *source_take(Source *source, GError **error);
gboolean is_of_source(GstMemory *memory);

/* --- pool.c */

/* Takes over the request; min is how many buffers it begins with at least.  The element gets the errors. */
GstBufferPool *broker_pool_new(GstElement *element, const Road *road, struct dmabroker_request *request, GstCaps *caps,
	const Picture *picture, const struct dmabroker_layout *layout, guint min);
#endif
