/* SPDX-License-Identifier: MIT
 * The arguments of Allocate and Explain: a(sa{sv})a{sv}. */
#include "private.h"

const char *const use_names[N_USES] = {
	"scanout", "render", "texture", "decode", "encode", "capture", "output", "read", "write",
};

const struct limit_name limit_names[N_LIMITS] = {
	[DMABROKER_PITCH_MULTIPLE] = { "pitch-multiple", 'u' },
	[DMABROKER_PITCH_EXACT] = { "pitch-exact", 'u' },
	[DMABROKER_PITCH_LINKED] = { "pitch-linked", 'b' },
	[DMABROKER_PITCH_MIN] = { "pitch-min", 'u' },
	[DMABROKER_PITCH_MAX] = { "pitch-max", 'u' },
	[DMABROKER_OFFSET_MULTIPLE] = { "offset-multiple", 'u' },
	[DMABROKER_HEIGHT_MULTIPLE] = { "height-multiple", 'u' },
	[DMABROKER_SIZE_MULTIPLE] = { "size-multiple", 't' },
	[DMABROKER_MAX_WIDTH] = { "max-width", 'u' },
	[DMABROKER_MAX_HEIGHT] = { "max-height", 'u' },
	[DMABROKER_CONTIGUOUS] = { "contiguous", 'b' },
	[DMABROKER_PROTECTED] = { "protected", 'b' },
	[DMABROKER_ADDRESS_BITS] = { "address-bits", 'u' },
	[DMABROKER_MIN_BUFFERS] = { "min-buffers", 'u' },
};

/* Every step does nothing once one has failed, so that only the last result is looked at. */
struct writer {
	sd_bus_message *call;
	int r;
};

static void open_container(struct writer *w, char type, const char *contents)
{
	if (w->r >= 0)
		w->r = sd_bus_message_open_container(w->call, type, contents);
}

static void close_container(struct writer *w)
{
	if (w->r >= 0)
		w->r = sd_bus_message_close_container(w->call);
}

static void basic(struct writer *w, char type, const void *value)
{
	if (w->r >= 0)
		w->r = sd_bus_message_append_basic(w->call, type, value);
}

static void open_key(struct writer *w, const char *key, const char *type)
{
	open_container(w, 'e', "sv");
	basic(w, 's', key);
	open_container(w, 'v', type);
}

static void close_key(struct writer *w)
{
	close_container(w);
	close_container(w);
}

static void key(struct writer *w, const char *name, char type, const void *value)
{
	const char contents[] = { type, '\0' };
	open_key(w, name, contents);
	basic(w, type, value);
	close_key(w);
}

static void modifiers(struct writer *w, const struct modifiers *list)
{
	if (list->n == 0)
		return;
	open_key(w, "modifiers", "at");
	if (w->r >= 0)
		w->r = sd_bus_message_append_array(w->call, 't', list->all, list->n * sizeof *list->all);
	close_key(w);
}

static void uses(struct writer *w, uint32_t bits)
{
	if (bits == 0)
		return;
	open_key(w, "uses", "as");
	open_container(w, 'a', "s");
	for (unsigned i = 0; i < N_USES; i++)
		if ((bits >> i & 1) != 0)
			basic(w, 's', use_names[i]);
	close_container(w);
	close_key(w);
}

static void limit(struct writer *w, const struct limit_name *name, uint64_t value)
{
	const uint32_t narrow = (uint32_t)value;
	const int yes = value != 0;
	switch (name->type) {
	case 't':
		key(w, name->key, 't', &value);
		break;
	case 'b':
		key(w, name->key, 'b', &yes);
		break;
	default:
		key(w, name->key, 'u', &narrow);
	}
}

static void entry(struct writer *w, const struct entry *entry)
{
	open_container(w, 'r', "sa{sv}");
	basic(w, 's', entry->name);
	open_container(w, 'a', "{sv}");
	uses(w, entry->uses);
	modifiers(w, &entry->modifiers);
	for (unsigned i = 0; i < N_LIMITS; i++)
		if ((entry->limits_set >> i & 1) != 0)
			limit(w, &limit_names[i], entry->limits[i]);
	close_container(w);
	close_container(w);
}

int append_request(sd_bus_message *call, const struct dmabroker_request *request, uint32_t count, uint32_t total)
{
	struct writer w = { call, 0 };
	char format[FOURCC_SIZE];
	const int yes = 1;
	open_container(&w, 'a', "(sa{sv})");
	for (size_t i = 0; i < request->n_entries; i++)
		entry(&w, &request->entries[i]);
	close_container(&w);
	open_container(&w, 'a', "{sv}");
	if (request->size != 0)
		key(&w, "size", 't', &request->size);
	if (request->format != 0 && format_name(request->format, format)) {
		key(&w, "width", 'u', &request->width);
		key(&w, "height", 'u', &request->height);
		key(&w, "format", 's', format);
	}
	modifiers(&w, &request->modifiers);
	if (count != 0)
		key(&w, "count", 'u', &count);
	if (total != 0)
		key(&w, "total", 'u', &total);
	if (request->label[0] != '\0')
		key(&w, "label", 's', request->label);
	key(&w, "error-data", 'b', &yes);
	close_container(&w);
	return w.r < 0 ? w.r : 0;
}

int append_extension(sd_bus_message *call, const char *path, uint32_t count)
{
	struct writer w = { call, 0 };
	open_container(&w, 'a', "(sa{sv})");
	close_container(&w);
	open_container(&w, 'a', "{sv}");
	key(&w, "extends", 'o', path);
	key(&w, "count", 'u', &count);
	close_container(&w);
	return w.r < 0 ? w.r : 0;
}
