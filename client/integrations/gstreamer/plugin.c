/* SPDX-License-Identifier: MIT */
#include "plugin.h"

GST_DEBUG_CATEGORY(dmabroker_debug);

static gboolean plugin_init(GstPlugin *plugin)
{
	GST_DEBUG_CATEGORY_INIT(dmabroker_debug, "dmabroker", 0, "buffers of the dma-buf broker");
	return GST_ELEMENT_REGISTER(dmabroker, plugin);
}

#define PACKAGE "dmabroker"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, dmabroker, "Buffers that every named device can use", plugin_init,
	VERSION, "MIT/X11", "dmabroker", "Unknown package origin")
