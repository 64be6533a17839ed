/* SPDX-License-Identifier: MIT
 * The property `devices`: DEVICE[:ITEM,...], several with spaces between them, as `dmabrokerctl --device` has one. */
#include "plugin.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t use;
} uses[] = {
	{ "scanout", DMABROKER_USE_SCANOUT },
	{ "render", DMABROKER_USE_RENDER },
	{ "texture", DMABROKER_USE_TEXTURE },
	{ "decode", DMABROKER_USE_DECODE },
	{ "encode", DMABROKER_USE_ENCODE },
	{ "capture", DMABROKER_USE_CAPTURE },
	{ "output", DMABROKER_USE_OUTPUT },
	{ "read", DMABROKER_USE_READ },
	{ "write", DMABROKER_USE_WRITE },
};

static const struct {
	const char *name;
	enum dmabroker_limit limit;
	gboolean is_flag; /* alone it is true */
} limits[] = {
	{ "pitch-multiple", DMABROKER_PITCH_MULTIPLE, FALSE },
	{ "pitch-exact", DMABROKER_PITCH_EXACT, FALSE },
	{ "pitch-linked", DMABROKER_PITCH_LINKED, TRUE },
	{ "pitch-min", DMABROKER_PITCH_MIN, FALSE },
	{ "pitch-max", DMABROKER_PITCH_MAX, FALSE },
	{ "offset-multiple", DMABROKER_OFFSET_MULTIPLE, FALSE },
	{ "height-multiple", DMABROKER_HEIGHT_MULTIPLE, FALSE },
	{ "size-multiple", DMABROKER_SIZE_MULTIPLE, FALSE },
	{ "max-width", DMABROKER_MAX_WIDTH, FALSE },
	{ "max-height", DMABROKER_MAX_HEIGHT, FALSE },
	{ "contiguous", DMABROKER_CONTIGUOUS, TRUE },
	{ "protected", DMABROKER_PROTECTED, TRUE },
	{ "address-bits", DMABROKER_ADDRESS_BITS, FALSE },
	{ "min-buffers", DMABROKER_MIN_BUFFERS, FALSE },
};

static uint32_t use_of(const char *item)
{
	for (size_t i = 0; i < G_N_ELEMENTS(uses); i++)
		if (strcmp(uses[i].name, item) == 0)
			return uses[i].use;
	return 0;
}

static gboolean read_value(const char *text, gboolean is_flag, guint64 *value)
{
	if (!is_flag)
		return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, value, NULL);
	*value = g_strcmp0(text, "false") != 0;
	return text == NULL || *value == 0 || strcmp(text, "true") == 0;
}

static gboolean add_limit(struct dmabroker_request *request, int entry, const char *item, Devices *devices, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(item, "=", 2);
	guint64 value;
	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		if (g_strcmp0(limits[i].name, parts[0]) != 0)
			continue;
		if (!read_value(parts[1], limits[i].is_flag, &value)) {
			g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "devices: %s wants %s: '%s'", parts[0],
				limits[i].is_flag ? "true or false" : "a number", item);
			return FALSE;
		}
		int r = dmabroker_request_set_limit(request, entry, limits[i].limit, value);
		if (r < 0)
			set_refusal(error, r, dmabroker_request_error(request));
		/* A number of 32 bits, of which a request has 64 at most. */
		else if (limits[i].limit == DMABROKER_MIN_BUFFERS)
			devices->min_buffers += value;
		return r >= 0;
	}
	g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "devices: '%s' is neither a use nor a limit", item);
	return FALSE;
}

/* The colon behind the name: not the one of a number such as 226:0. */
static const char *end_of_name(const char *device)
{
	const char *at = device + strspn(device, "0123456789");
	if (at > device && *at == ':' && g_ascii_isdigit(at[1])) {
		at++;
		return at + strspn(at, "0123456789");
	}
	at = strchr(device, ':');
	return at != NULL ? at : device + strlen(device);
}

static gboolean add_device(struct dmabroker_request *request, const char *device, Devices *devices, GError **error)
{
	const char *end = end_of_name(device);
	g_autofree char *name = g_strndup(device, end - device);
	g_auto(GStrv) items = g_strsplit(*end == ':' ? end + 1 : end, ",", -1);
	uint32_t all = 0;
	for (char **item = items; *item != NULL; item++)
		all |= use_of(*item);
	int entry = dmabroker_request_add_device(request, name, all);
	if (entry < 0) {
		set_refusal(error, entry, dmabroker_request_error(request));
		return FALSE;
	}
	if (strcmp(name, "cpu") != 0)
		devices->tiled |= G_GUINT64_CONSTANT(1) << entry;
	for (char **item = items; *item != NULL; item++)
		if (use_of(*item) == 0 && !add_limit(request, entry, *item, devices, error))
			return FALSE;
	return TRUE;
}

/* The only strides that are understood without a GstVideoMeta: a row, rounded up to 4 bytes.  In an entry of its own, so that
 * what the property says of the device stands beside it. */
static gboolean add_default_strides(struct dmabroker_request *request, const char *device, GError **error)
{
	g_autofree char *name = g_strndup(device, end_of_name(device) - device);
	int r = dmabroker_request_add_device(request, name, 0);
	if (r >= 0)
		r = dmabroker_request_set_limit(request, r, DMABROKER_PITCH_EXACT, 4);
	if (r < 0)
		set_refusal(error, r, dmabroker_request_error(request));
	return r >= 0;
}

gboolean add_devices(struct dmabroker_request *request, const char *text, gboolean takes_strides, Devices *devices,
	GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);
	guint n = 0;
	*devices = (Devices){ 0 };
	for (char **word = words; *word != NULL; word++) {
		if (**word == '\0')
			continue;
		if (!add_device(request, *word, devices, error))
			return FALSE;
		if (n == 0 && !takes_strides && !add_default_strides(request, *word, error))
			return FALSE;
		n++;
	}
	if (n == 0)
		g_set_error_literal(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "devices: names no device");
	return n > 0;
}
