/* SPDX-License-Identifier: MIT
 * A layout as the service sends it, believed only as far as it agrees with itself and with the request. */
#include "private.h"

enum seen {
	SEEN_SIZE = 1 << 0, SEEN_COUNT = 1 << 1, SEEN_CPU = 1 << 2,
	SEEN_FORMAT = 1 << 3, SEEN_MODIFIER = 1 << 4, SEEN_WIDTH = 1 << 5, SEEN_HEIGHT = 1 << 6, SEEN_PLANES = 1 << 7,
	SEEN_APART = 1 << 8,
	SEEN_MEMORY = SEEN_SIZE | SEEN_COUNT | SEEN_CPU,
	SEEN_IMAGE = SEEN_FORMAT | SEEN_MODIFIER | SEEN_WIDTH | SEEN_HEIGHT | SEEN_PLANES,
};

static int read_planes(sd_bus_message *m, struct dmabroker_layout *layout)
{
	uint64_t offset;
	uint32_t stride;
	int r = sd_bus_message_enter_container(m, 'v', "a(tu)");
	if (r < 0 || (r = sd_bus_message_enter_container(m, 'a', "(tu)")) < 0)
		return r;
	layout->n_planes = 0;
	while ((r = sd_bus_message_read(m, "(tu)", &offset, &stride)) > 0) {
		if (layout->n_planes == DMABROKER_MAX_PLANES || offset > UINT32_MAX)
			return -EBADMSG;
		layout->offset[layout->n_planes] = (uint32_t)offset;
		layout->stride[layout->n_planes++] = stride;
	}
	if (r < 0 || (r = sd_bus_message_exit_container(m)) < 0)
		return r;
	return sd_bus_message_exit_container(m);
}

static int read_cpu_access(sd_bus_message *m, enum dmabroker_cpu_access *access)
{
	static const char *const words[] = { "none", "uncached", "cached" };
	const char *word;
	int r = sd_bus_message_read(m, "v", "s", &word);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0) {
			*access = (enum dmabroker_cpu_access)i;
			return 0;
		}
	return -EBADMSG;
}

static int read_format(sd_bus_message *m, uint32_t *format)
{
	const char *name;
	int r = sd_bus_message_read(m, "v", "s", &name);
	if (r >= 0 && (*format = format_code(name)) == 0)
		return -EBADMSG;
	return r;
}

static int read_field(sd_bus_message *m, const char *key, struct layout_reply *out, unsigned *seen)
{
	struct dmabroker_layout *layout = &out->layout;
	int r;
	unsigned bit = 0;
	if (strcmp(key, "size") == 0)
		bit = SEEN_SIZE, r = sd_bus_message_read(m, "v", "t", &layout->size);
	else if (strcmp(key, "count") == 0)
		bit = SEEN_COUNT, r = sd_bus_message_read(m, "v", "u", &out->count);
	else if (strcmp(key, "cpu-access") == 0)
		bit = SEEN_CPU, r = read_cpu_access(m, &layout->cpu_access);
	else if (strcmp(key, "format") == 0)
		bit = SEEN_FORMAT, r = read_format(m, &layout->format);
	else if (strcmp(key, "modifier") == 0)
		bit = SEEN_MODIFIER, r = sd_bus_message_read(m, "v", "t", &layout->modifier);
	else if (strcmp(key, "width") == 0)
		bit = SEEN_WIDTH, r = sd_bus_message_read(m, "v", "u", &layout->width);
	else if (strcmp(key, "height") == 0)
		bit = SEEN_HEIGHT, r = sd_bus_message_read(m, "v", "u", &layout->height);
	else if (strcmp(key, "planes") == 0)
		bit = SEEN_PLANES, r = read_planes(m, layout);
	else {
		bit = strcmp(key, "fd-sizes") == 0 ? SEEN_APART : 0;
		r = sd_bus_message_skip(m, "v");
	}
	if (r >= 0 && (*seen & bit) != 0)
		return -EBADMSG;
	*seen |= bit;
	return r;
}

/* Whether every plane lies within the buffer. */
static bool within(const struct dmabroker_layout *layout)
{
	for (uint32_t i = 0; i < layout->n_planes; i++) {
		const uint64_t offset = layout->offset[i];
		if (offset > layout->size || least_bytes(layout, i) > layout->size - offset)
			return false;
	}
	return true;
}

static bool has(const struct modifiers *list, uint64_t modifier)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->all[i] == modifier)
			return true;
	return false;
}

/* Whether the modifier is one that the request lists; any is, where it has no list. */
static bool is_listed(uint64_t modifier, const struct dmabroker_request *request)
{
	bool lists = request->modifiers.n > 0;
	bool found = has(&request->modifiers, modifier);
	for (size_t i = 0; i < request->n_entries; i++) {
		lists = lists || request->entries[i].modifiers.n > 0;
		found = found || has(&request->entries[i].modifiers, modifier);
	}
	return modifier == 0 || found || !lists;
}

static bool is_asked(const struct dmabroker_layout *layout, const struct dmabroker_request *request)
{
	if (request->size != 0)
		return layout->format == 0 && layout->size >= request->size;
	return layout->format == request->format && layout->width == request->width && layout->height == request->height &&
	       is_listed(layout->modifier, request);
}

int read_layout(sd_bus_message *m, const struct dmabroker_request *request, struct layout_reply *out)
{
	const char *key;
	unsigned seen = 0;
	int r;
	memset(out, 0, sizeof *out);
	if ((r = sd_bus_message_enter_container(m, 'a', "{sv}")) < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0)
		if ((r = sd_bus_message_read(m, "s", &key)) < 0 || (r = read_field(m, key, out, &seen)) < 0 ||
		    (r = sd_bus_message_exit_container(m)) < 0)
			return r;
	if (r < 0 || (r = sd_bus_message_exit_container(m)) < 0)
		return r;
	if ((seen & SEEN_APART) != 0) /* a descriptor per plane, which struct dmabroker_layout cannot say */
		return -EOPNOTSUPP;
	const unsigned image = seen & SEEN_IMAGE;
	if ((seen & SEEN_MEMORY) != SEEN_MEMORY || (image != 0 && image != SEEN_IMAGE) ||
	    (image != 0 && out->layout.n_planes == 0) || out->layout.size == 0 || out->layout.size > INT64_MAX ||
	    out->layout.modifier == UINT64_C(0x00ffffffffffffff) || !within(&out->layout) ||
	    (request != NULL && !is_asked(&out->layout, request)))
		return -EBADMSG;
	return 0;
}

bool same_layout(const struct dmabroker_layout *a, const struct dmabroker_layout *b)
{
	return a->width == b->width && a->height == b->height && a->format == b->format && a->n_planes == b->n_planes &&
	       a->modifier == b->modifier && a->size == b->size && a->cpu_access == b->cpu_access &&
	       memcmp(a->offset, b->offset, sizeof a->offset) == 0 &&
	       memcmp(a->stride, b->stride, sizeof a->stride) == 0;
}
