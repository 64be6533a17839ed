/* SPDX-License-Identifier: MIT
 * Runs a pipeline to its end, and says what came out of it:
 *
 *   pipeline [-m] [-k] DESCRIPTION [CAPS...]
 *
 * -m: the sink understands GstVideoMeta.  -k: it keeps the memory of a frame, and not its buffer, until the next one.
 * The pipeline has a fakesink named `sink`, and for CAPS a capsfilter named `caps`, which gets the next of them after every
 * 50 frames.  Each line of the output is a word and values: frames, fd-frames (memory with a descriptor), dmabuf-frames,
 * distinct (descriptors seen), late-descriptors (how many more the process had at the last frame than at the 50th),
 * left-descriptors (how many more after the pipeline than before), strides, and error or warning with domain and code. */
#include <gst/allocators/allocators.h>
#include <gst/gst.h>
#include <gst/video/video.h>

enum { CHANGE_EVERY = 50, MOST = 4096 };

struct seen {
	GstElement *filter;
	char **caps; /* those that are still to come */
	guint frames, fd_frames, dmabuf_frames, distinct;
	gint descriptors_early, descriptors_late;
	gboolean fds[MOST];
	gint last_stride;
	gboolean takes_strides, keeps;
	GstMemory *kept;
};

static gint count_descriptors(void)
{
	gint n = 0;
	GDir *directory = g_dir_open("/proc/self/fd", 0, NULL);
	while (g_dir_read_name(directory) != NULL)
		n++;
	g_dir_close(directory);
	return n;
}

static void look_at_memory(struct seen *seen, GstMemory *memory)
{
	if (!gst_is_fd_memory(memory))
		return;
	gint fd = gst_fd_memory_get_fd(memory);
	seen->fd_frames++;
	seen->dmabuf_frames += gst_is_dmabuf_memory(memory);
	if (fd >= 0 && fd < MOST && !seen->fds[fd]) {
		seen->fds[fd] = TRUE;
		seen->distinct++;
	}
}

static void came(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
	struct seen *seen = data;
	(void)sink;
	(void)pad;
	seen->frames++;
	if (seen->keeps) {
		g_clear_pointer(&seen->kept, gst_memory_unref);
		seen->kept = gst_buffer_get_memory(buffer, 0);
	}
	look_at_memory(seen, gst_buffer_peek_memory(buffer, 0));
	GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
	gint stride = meta != NULL ? meta->stride[0] : 0;
	if (stride != seen->last_stride)
		g_print("stride %d\n", stride);
	seen->last_stride = stride;
	seen->descriptors_late = count_descriptors();
	if (seen->frames == CHANGE_EVERY)
		seen->descriptors_early = seen->descriptors_late;
	if (seen->frames % CHANGE_EVERY == 0 && *seen->caps != NULL) {
		GstCaps *caps = gst_caps_from_string(*seen->caps++);
		g_object_set(seen->filter, "caps", caps, NULL);
		gst_caps_unref(caps);
	}
}

/* Whether it is the last. */
static gboolean tell(GstMessage *message)
{
	g_autoptr(GError) error = NULL;
	switch (GST_MESSAGE_TYPE(message)) {
	case GST_MESSAGE_EOS:
		g_print("eos\n");
		return TRUE;
	case GST_MESSAGE_ERROR:
		gst_message_parse_error(message, &error, NULL);
		g_print("error %s %s %d %s\n", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), g_quark_to_string(error->domain), error->code,
			error->message);
		return TRUE;
	case GST_MESSAGE_WARNING:
		gst_message_parse_warning(message, &error, NULL);
		g_print("warning %s %s %d %s\n", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), g_quark_to_string(error->domain),
			error->code, error->message);
		return FALSE;
	default:
		return FALSE;
	}
}

static GstPadProbeReturn asked(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
	GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
	(void)pad;
	(void)data;
	if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
		return GST_PAD_PROBE_OK;
	gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
	return GST_PAD_PROBE_HANDLED;
}

static void run(GstElement *pipeline, struct seen *seen)
{
	g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
	seen->filter = gst_bin_get_by_name(GST_BIN(pipeline), "caps");
	g_object_set(sink, "signal-handoffs", TRUE, NULL);
	g_signal_connect(sink, "handoff", G_CALLBACK(came), seen);
	if (seen->takes_strides) {
		g_autoptr(GstPad) pad = gst_element_get_static_pad(sink, "sink");
		gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, asked, NULL, NULL);
	}
	g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	for (gboolean ended = FALSE; !ended;) {
		GstMessage *message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND,
			GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
		if (message == NULL) {
			g_print("stalled\n");
			break;
		}
		ended = tell(message);
		gst_message_unref(message);
	}
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_clear_object(&seen->filter);
	g_clear_pointer(&seen->kept, gst_memory_unref);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct seen seen = { 0 };
	gst_init(NULL, NULL);
	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		seen.takes_strides |= argv[1][1] == 'm';
		seen.keeps |= argv[1][1] == 'k';
	}
	if (argc < 2)
		return 2;
	seen.caps = argv + 2;
	GstElement *pipeline = gst_parse_launch(argv[1], &error);
	if (pipeline == NULL) {
		g_print("no pipeline: %s\n", error->message);
		return 1;
	}
	/* What loading the elements leaves open is not the pipeline's. */
	gst_object_unref(pipeline);
	gint before = count_descriptors();
	pipeline = gst_parse_launch(argv[1], NULL);
	run(pipeline, &seen);
	gst_object_unref(pipeline);
	g_print("frames %u\nfd-frames %u\ndmabuf-frames %u\ndistinct %u\n", seen.frames, seen.fd_frames, seen.dmabuf_frames,
		seen.distinct);
	g_print("late-descriptors %d\nleft-descriptors %d\n", seen.descriptors_late - seen.descriptors_early,
		count_descriptors() - before);
	gst_deinit();
	return 0;
}
