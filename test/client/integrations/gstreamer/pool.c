/* SPDX-License-Identifier: MIT
 * Asks the element for a pool as upstream does, and uses it in ways that pipelines do not:
 *
 *   pool BUS DEVICES CAPS
 *
 * Each line is a word and a value: proposed (pools in the answer), strides
 * (whether the answer says that downstream understands them), other-caps, no-meta and meta (whether the pool takes such
 * a configuration), active, buffer (whether one comes), beyond (what GStreamer says where more buffers are asked for without waiting),
 * outlives (whether its memory can be read when pool and element are gone), error. */
#include <gst/gst.h>
#include <gst/video/video.h>

static GstBufferPool *ask(GstElement *element, GstCaps *caps)
{
	g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "sink");
	GstSegment segment;
	gst_segment_init(&segment, GST_FORMAT_TIME);
	gst_pad_send_event(pad, gst_event_new_stream_start("test"));
	gst_pad_send_event(pad, gst_event_new_caps(caps));
	gst_pad_send_event(pad, gst_event_new_segment(&segment));
	GstBufferPool *pool = NULL;
	GstQuery *query = gst_query_new_allocation(caps, TRUE);
	if (gst_pad_query(pad, query))
		gst_query_parse_nth_allocation_pool(query, 0, &pool, NULL, NULL, NULL);
	g_print("proposed %u\n", gst_query_get_n_allocation_pools(query));
	g_print("strides %d\n", gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL));
	gst_query_unref(query);
	return pool;
}

static gboolean configure(GstBufferPool *pool, GstCaps *caps, gboolean meta)
{
	GstStructure *config = gst_buffer_pool_get_config(pool);
	gst_buffer_pool_config_set_params(config, caps, 1, 2, 0);
	if (meta)
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	return gst_buffer_pool_set_config(pool, config);
}

static void ask_beyond(GstBufferPool *pool)
{
	GstBuffer *more[8] = { NULL };
	GstBufferPoolAcquireParams params = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
	GstFlowReturn flow = GST_FLOW_OK;
	for (gsize i = 0; i < G_N_ELEMENTS(more) && flow == GST_FLOW_OK; i++)
		flow = gst_buffer_pool_acquire_buffer(pool, &more[i], &params);
	g_print("beyond %s\n", gst_flow_get_name(flow));
	for (gsize i = 0; i < G_N_ELEMENTS(more); i++)
		gst_clear_buffer(&more[i]);
}

static GstBuffer *use(GstBufferPool *pool, GstCaps *caps)
{
	GstCaps *other = gst_caps_copy(caps);
	GstBuffer *buffer = NULL;
	gst_caps_set_simple(other, "width", G_TYPE_INT, 16, NULL);
	g_print("other-caps %d\n", configure(pool, other, TRUE));
	gst_caps_unref(other);
	g_print("no-meta %d\n", configure(pool, caps, FALSE));
	g_print("meta %d\n", configure(pool, caps, TRUE));
	gboolean active = gst_buffer_pool_set_active(pool, TRUE);
	g_print("active %d\n", active);
	if (active)
		g_print("buffer %d\n", gst_buffer_pool_acquire_buffer(pool, &buffer, NULL) == GST_FLOW_OK);
	if (active)
		ask_beyond(pool);
	gst_buffer_pool_set_active(pool, FALSE);
	gst_object_unref(pool);
	return buffer;
}

static void tell_errors(GstElement *pipeline)
{
	g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
	for (GstMessage *message; (message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) != NULL; gst_message_unref(message)) {
		g_autoptr(GError) error = NULL;
		gst_message_parse_error(message, &error, NULL);
		g_print("error %d %s\n", error->code, error->message);
	}
}

int main(int argc, char **argv)
{
	gst_init(NULL, NULL);
	if (argc != 4)
		return 2;
	GstCaps *caps = gst_caps_from_string(argv[3]);
	GstElement *pipeline = gst_pipeline_new(NULL);
	GstElement *element = gst_element_factory_make_full("dmabroker", "bus", argv[1], "devices", argv[2], NULL);
	gst_bin_add(GST_BIN(pipeline), element);
	gst_element_set_state(pipeline, GST_STATE_PAUSED);
	GstBufferPool *pool = ask(element, caps);
	GstBuffer *buffer = pool != NULL ? use(pool, caps) : NULL;
	GstMemory *memory = buffer != NULL ? gst_buffer_get_memory(buffer, 0) : NULL;
	gst_clear_buffer(&buffer);
	tell_errors(pipeline);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(pipeline);
	if (memory != NULL) {
		GstMapInfo map;
		gboolean mapped = gst_memory_map(memory, &map, GST_MAP_READ);
		g_print("outlives %d\n", mapped && map.data[map.size - 1] == 0);
		gst_memory_unmap(memory, &map);
		gst_memory_unref(memory);
	}
	gst_caps_unref(caps);
	gst_deinit();
	return 0;
}
