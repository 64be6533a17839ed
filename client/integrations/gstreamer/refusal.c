/* SPDX-License-Identifier: MIT
 * What the library refuses, as applications of GStreamer see it. */
#include "plugin.h"

#include <errno.h>

static GstResourceError code_of(int result)
{
	switch (-result) {
	case EHOSTUNREACH:
	case ENODEV:
		return GST_RESOURCE_ERROR_NOT_FOUND;
	case ENOTCONN:
		return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
	case EINVAL:
	case EPROTONOSUPPORT:
	case ENOTSUP:
		return GST_RESOURCE_ERROR_SETTINGS;
	case EDQUOT:
	case ENOMEM:
	case E2BIG:
	case EMFILE:
		return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
	case EACCES:
		return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
	case EAGAIN:
	case ETIMEDOUT:
		return GST_RESOURCE_ERROR_BUSY;
	default:
		return GST_RESOURCE_ERROR_FAILED;
	}
}

void set_refusal(GError **error, int result, const char *text)
{
	g_set_error_literal(error, GST_RESOURCE_ERROR, code_of(result), text);
}

void add_hint(GError **error, const char *hint)
{
	g_autofree char *text = g_steal_pointer(&(*error)->message);
	(*error)->message = g_strdup_printf("%s\n%s", text, hint);
}

static void post(GstElement *element, GstMessageType type, const GError *error)
{
	gst_element_message_full(element, type, error->domain, error->code, g_strdup(error->message), NULL, __FILE__,
		GST_FUNCTION, __LINE__);
}

void post_error(GstElement *element, const GError *error)
{
	post(element, GST_MESSAGE_ERROR, error);
}

void post_warning(GstElement *element, const GError *error)
{
	post(element, GST_MESSAGE_WARNING, error);
}
