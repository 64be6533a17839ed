/* SPDX-License-Identifier: MIT
 * What is asked for, as the caller puts it together. */
#include "private.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MODIFIER_INVALID UINT64_C(0x00ffffffffffffff)

static int wrong(struct dmabroker_request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(struct dmabroker_request *r, const char *format, ...)
{
	va_list arguments;
	if (r == NULL)
		return -EINVAL;
	va_start(arguments, format);
	vsnprintf(r->error, sizeof r->error, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int no_memory(struct dmabroker_request *r)
{
	wrong(r, "no memory is left");
	return -ENOMEM;
}

const char *dmabroker_request_error(const struct dmabroker_request *request)
{
	if (request == NULL)
		return "there is no request";
	return request->error[0] != '\0' ? request->error : "nothing was refused";
}

int dmabroker_request_new(struct dmabroker_request **request)
{
	if (request == NULL)
		return -EINVAL;
	*request = calloc(1, sizeof **request);
	return *request != NULL ? 0 : -ENOMEM;
}

void dmabroker_request_free(struct dmabroker_request *request)
{
	if (request == NULL)
		return;
	for (size_t i = 0; i < request->n_entries; i++) {
		free(request->entries[i].name);
		free(request->entries[i].modifiers.all);
	}
	free(request->entries);
	free(request->modifiers.all);
	free(request);
}

int dmabroker_request_set_image(struct dmabroker_request *r, uint32_t width, uint32_t height, uint32_t format)
{
	char name[FOURCC_SIZE];
	if (r == NULL || width == 0 || height == 0)
		return wrong(r, "an image is at least 1 pixel wide and high");
	if (!format_name(format, name))
		return wrong(r, "0x%08x is no DRM format", format);
	r->width = width;
	r->height = height;
	r->format = format;
	r->size = 0;
	return 0;
}

int dmabroker_request_set_size(struct dmabroker_request *r, uint64_t bytes)
{
	if (r == NULL || bytes == 0)
		return wrong(r, "memory has at least 1 byte");
	r->width = r->height = r->format = 0;
	free(r->modifiers.all);
	r->modifiers = (struct modifiers){ 0 };
	r->size = bytes;
	return 0;
}

int dmabroker_request_set_count(struct dmabroker_request *r, uint32_t count)
{
	if (r == NULL || count == 0)
		return wrong(r, "there is at least 1 buffer");
	r->count = count;
	return 0;
}

static int replace(struct dmabroker_request *r, struct modifiers *list, const uint64_t *modifiers, size_t n)
{
	size_t kept = 0;
	if (modifiers == NULL || n == 0)
		return wrong(r, "a list of modifiers is not empty");
	for (size_t i = 0; i < n; i++)
		kept += modifiers[i] != MODIFIER_INVALID;
	if (kept == 0)
		return wrong(r, "DRM_FORMAT_MOD_INVALID alone names no modifier");
	if (kept > MAX_MODIFIERS)
		return wrong(r, "there are at most %d modifiers", MAX_MODIFIERS);
	uint64_t *copy = malloc(kept * sizeof *copy);
	if (copy == NULL)
		return no_memory(r);
	kept = 0;
	for (size_t i = 0; i < n; i++)
		if (modifiers[i] != MODIFIER_INVALID)
			copy[kept++] = modifiers[i];
	free(list->all);
	*list = (struct modifiers){ copy, kept };
	return 0;
}

int dmabroker_request_set_modifiers(struct dmabroker_request *r, const uint64_t *modifiers, size_t n)
{
	if (r == NULL)
		return -EINVAL;
	return replace(r, &r->modifiers, modifiers, n);
}

int dmabroker_request_set_label(struct dmabroker_request *r, const char *label)
{
	if (r == NULL)
		return -EINVAL;
	if (label != NULL && strlen(label) > MAX_LABEL)
		return wrong(r, "a label has at most %d bytes", MAX_LABEL);
	memset(r->label, 0, sizeof r->label);
	if (label != NULL)
		memcpy(r->label, label, strlen(label));
	return 0;
}

int dmabroker_request_add_device(struct dmabroker_request *r, const char *name, uint32_t uses)
{
	if (r == NULL || name == NULL || name[0] == '\0')
		return wrong(r, "a device has a name");
	if (strlen(name) > MAX_STRING)
		return wrong(r, "the name of a device has at most %d bytes", MAX_STRING);
	if (uses >> N_USES != 0)
		return wrong(r, "0x%x has a use that does not exist", uses);
	if (r->n_entries == MAX_ENTRIES)
		return wrong(r, "a request has at most %d devices", MAX_ENTRIES);
	struct entry *entries = realloc(r->entries, (r->n_entries + 1) * sizeof *entries);
	if (entries == NULL)
		return no_memory(r);
	r->entries = entries;
	char *copy = strdup(name);
	if (copy == NULL)
		return no_memory(r);
	entries[r->n_entries] = (struct entry){ .name = copy, .uses = uses };
	return (int)r->n_entries++;
}

int dmabroker_request_add_dev_t(struct dmabroker_request *r, dev_t dev, uint32_t uses)
{
	char name[32];
	snprintf(name, sizeof name, "%u:%u", major(dev), minor(dev));
	return dmabroker_request_add_device(r, name, uses);
}

int dmabroker_request_add_fd(struct dmabroker_request *r, int node, uint32_t uses)
{
	struct stat status;
	if (r == NULL || fstat(node, &status) < 0 || !S_ISCHR(status.st_mode))
		return wrong(r, "descriptor %d is no device", node);
	return dmabroker_request_add_dev_t(r, status.st_rdev, uses);
}

static struct entry *entry_at(struct dmabroker_request *r, int entry)
{
	if (r == NULL || entry < 0 || (size_t)entry >= r->n_entries) {
		wrong(r, "there is no entry %d", entry);
		return NULL;
	}
	return &r->entries[entry];
}

int dmabroker_request_set_limit(struct dmabroker_request *r, int entry, enum dmabroker_limit limit, uint64_t value)
{
	struct entry *at = entry_at(r, entry);
	unsigned index = limit;
	if (at == NULL)
		return -EINVAL;
	if (index >= N_LIMITS)
		return wrong(r, "there is no limit %u", index);
	if (limit_names[index].type == 'b' && value > 1)
		return wrong(r, "%s is 0 or 1", limit_names[index].key);
	if (limit_names[index].type == 'u' && value > UINT32_MAX)
		return wrong(r, "%s has 32 bits", limit_names[index].key);
	at->limits[index] = value;
	at->limits_set |= UINT32_C(1) << index;
	return 0;
}

int dmabroker_request_set_device_modifiers(struct dmabroker_request *r, int entry, const uint64_t *m, size_t n)
{
	struct entry *at = entry_at(r, entry);
	return at != NULL ? replace(r, &at->modifiers, m, n) : -EINVAL;
}

static int copy_modifiers(const struct modifiers *from, struct modifiers *to)
{
	*to = (struct modifiers){ 0 };
	if (from->n == 0)
		return 0;
	to->all = malloc(from->n * sizeof *to->all);
	if (to->all == NULL)
		return -ENOMEM;
	memcpy(to->all, from->all, from->n * sizeof *to->all);
	to->n = from->n;
	return 0;
}

int request_copy(const struct dmabroker_request *from, struct dmabroker_request **to)
{
	struct dmabroker_request *copy = malloc(sizeof *copy);
	if (copy == NULL)
		return -ENOMEM;
	*copy = *from;
	copy->n_entries = 0;
	copy->entries = calloc(from->n_entries > 0 ? from->n_entries : 1, sizeof *copy->entries);
	int r = copy_modifiers(&from->modifiers, &copy->modifiers);
	if (copy->entries == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < from->n_entries; i++) {
		struct entry *entry = &copy->entries[copy->n_entries++];
		*entry = from->entries[i];
		entry->name = strdup(from->entries[i].name);
		r = copy_modifiers(&from->entries[i].modifiers, &entry->modifiers);
		if (entry->name == NULL)
			r = -ENOMEM;
	}
	if (r < 0)
		dmabroker_request_free(copy);
	else
		*to = copy;
	return r;
}
