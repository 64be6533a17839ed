/* SPDX-License-Identifier: MIT
 * Pictures in caps and as DRM names them. */
#include "plugin.h"

#include <drm_fourcc.h>
#include <gst/allocators/gstdmabuf.h>

/* GStreamer names the bytes in memory in their order; DRM names the bits of a little-endian word from the highest on. */
static const struct {
	GstVideoFormat format;
	guint32 fourcc;
} formats[] = {
	{ GST_VIDEO_FORMAT_BGRx, DRM_FORMAT_XRGB8888 },
	{ GST_VIDEO_FORMAT_BGRA, DRM_FORMAT_ARGB8888 },
	{ GST_VIDEO_FORMAT_RGBx, DRM_FORMAT_XBGR8888 },
	{ GST_VIDEO_FORMAT_RGBA, DRM_FORMAT_ABGR8888 },
	{ GST_VIDEO_FORMAT_xRGB, DRM_FORMAT_BGRX8888 },
	{ GST_VIDEO_FORMAT_ARGB, DRM_FORMAT_BGRA8888 },
	{ GST_VIDEO_FORMAT_xBGR, DRM_FORMAT_RGBX8888 },
	{ GST_VIDEO_FORMAT_ABGR, DRM_FORMAT_RGBA8888 },
	{ GST_VIDEO_FORMAT_BGR, DRM_FORMAT_RGB888 },
	{ GST_VIDEO_FORMAT_RGB, DRM_FORMAT_BGR888 },
	{ GST_VIDEO_FORMAT_RGB16, DRM_FORMAT_RGB565 },
	{ GST_VIDEO_FORMAT_BGR16, DRM_FORMAT_BGR565 },
	{ GST_VIDEO_FORMAT_BGR10A2_LE, DRM_FORMAT_ARGB2101010 },
	{ GST_VIDEO_FORMAT_RGB10A2_LE, DRM_FORMAT_ABGR2101010 },
	{ GST_VIDEO_FORMAT_NV12, DRM_FORMAT_NV12 },
	{ GST_VIDEO_FORMAT_NV21, DRM_FORMAT_NV21 },
	{ GST_VIDEO_FORMAT_NV16, DRM_FORMAT_NV16 },
	{ GST_VIDEO_FORMAT_NV61, DRM_FORMAT_NV61 },
	{ GST_VIDEO_FORMAT_NV24, DRM_FORMAT_NV24 },
	{ GST_VIDEO_FORMAT_P010_10LE, DRM_FORMAT_P010 },
	{ GST_VIDEO_FORMAT_I420, DRM_FORMAT_YUV420 },
	{ GST_VIDEO_FORMAT_YV12, DRM_FORMAT_YVU420 },
	{ GST_VIDEO_FORMAT_Y42B, DRM_FORMAT_YUV422 },
	{ GST_VIDEO_FORMAT_Y444, DRM_FORMAT_YUV444 },
	{ GST_VIDEO_FORMAT_YUY2, DRM_FORMAT_YUYV },
	{ GST_VIDEO_FORMAT_YVYU, DRM_FORMAT_YVYU },
	{ GST_VIDEO_FORMAT_UYVY, DRM_FORMAT_UYVY },
	{ GST_VIDEO_FORMAT_VYUY, DRM_FORMAT_VYUY },
};

static guint32 fourcc_of(GstVideoFormat format)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].format == format)
			return formats[i].fourcc;
	return 0;
}

GstCaps *picture_caps(void)
{
	GstVideoFormat names[G_N_ELEMENTS(formats)];
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
		names[i] = formats[i].format;
	GstCaps *plain = gst_video_make_raw_caps(names, G_N_ELEMENTS(names));
	GstCaps *caps = gst_caps_copy(plain);
	gst_caps_set_features_simple(caps, gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, NULL));
#if GST_CHECK_VERSION(1, 24, 0)
	/* Any fourcc and modifier: what the service does not know, it refuses. */
	gst_caps_append(caps, gst_caps_from_string(GST_VIDEO_DMA_DRM_CAPS_MAKE));
#endif
	gst_caps_append(caps, plain);
	return caps;
}

gboolean picture_from_caps(const GstCaps *caps, Picture *picture)
{
	*picture = (Picture){ .modifier = DRM_FORMAT_MOD_LINEAR };
	picture->only_dmabuf = gst_caps_features_contains(gst_caps_get_features(caps, 0), GST_CAPS_FEATURE_MEMORY_DMABUF);
#if GST_CHECK_VERSION(1, 24, 0)
	if (gst_video_is_dma_drm_caps(caps)) {
		GstVideoInfoDmaDrm drm;
		if (!gst_video_info_dma_drm_from_caps(&drm, caps))
			return FALSE;
		picture->fourcc = drm.drm_fourcc;
		picture->modifier = drm.drm_modifier;
		/* Linear pictures have a format of GStreamer's besides. */
		if (!gst_video_info_dma_drm_to_video_info(&drm, &picture->info))
			picture->info = drm.vinfo;
		return TRUE;
	}
#endif
	if (!gst_video_info_from_caps(&picture->info, caps))
		return FALSE;
	picture->fourcc = fourcc_of(GST_VIDEO_INFO_FORMAT(&picture->info));
	return picture->fourcc != 0;
}

gboolean is_default_layout(const Picture *picture, const struct dmabroker_layout *layout)
{
	const GstVideoInfo *info = &picture->info;
	if (GST_VIDEO_INFO_N_PLANES(info) != layout->n_planes)
		return FALSE;
	for (guint plane = 0; plane < layout->n_planes; plane++)
		if ((guint32)GST_VIDEO_INFO_PLANE_STRIDE(info, plane) != layout->stride[plane] ||
		    GST_VIDEO_INFO_PLANE_OFFSET(info, plane) != layout->offset[plane])
			return FALSE;
	return TRUE;
}

gboolean can_count(const struct dmabroker_layout *layout)
{
	for (guint plane = 0; plane < layout->n_planes; plane++)
		if (layout->stride[plane] > G_MAXINT)
			return FALSE;
	return layout->size <= G_MAXUINT;
}

gboolean set_picture(struct dmabroker_request *request, const Devices *devices, const Picture *picture,
	GError **error)
{
	int r = dmabroker_request_set_image(request, GST_VIDEO_INFO_WIDTH(&picture->info), GST_VIDEO_INFO_HEIGHT(&picture->info),
		picture->fourcc);
	if (r >= 0)
		r = dmabroker_request_set_modifiers(request, &picture->modifier, 1);
	/* A device that says nothing of modifiers, such as a GPU, is taken to want linear pictures; but this is what upstream
	 * and downstream agreed on. */
	if (picture->modifier != DRM_FORMAT_MOD_LINEAR)
		for (int entry = 0; r >= 0 && entry < 64; entry++)
			if ((devices->tiled >> entry & 1) != 0)
				r = dmabroker_request_set_device_modifiers(request, entry, &picture->modifier, 1);
	if (r < 0)
		set_refusal(error, r, dmabroker_request_error(request));
	return r >= 0;
}
