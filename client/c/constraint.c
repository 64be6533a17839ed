/* SPDX-License-Identifier: MIT
 * Constraints as the service sends them: aa{sv}. */
#include "private.h"

#include <stdio.h>

enum { MAX_CONSTRAINTS = 1 << 16, MAX_VALUES_SHOWN = 16 };

void constraints_free(struct constraints *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free((char *)list->all[i].device);
		free((char *)list->all[i].constraint);
		free((char *)list->all[i].value);
		free((char *)list->all[i].source);
	}
	free(list->all);
	*list = (struct constraints){ 0 };
}

static void print_basic(FILE *to, char type, const void *value)
{
	switch (type) {
	case 'b':
		fputs(*(const int *)value ? "yes" : "no", to);
		break;
	case 'i':
		fprintf(to, "%ld", (long)*(const int32_t *)value);
		break;
	case 'u':
		fprintf(to, "%lu", (unsigned long)*(const uint32_t *)value);
		break;
	case 't':
		fprintf(to, "%llu", (unsigned long long)*(const uint64_t *)value);
		break;
	default:
		fputs(*(const char *const *)value, to);
	}
}

static int print_list(sd_bus_message *m, FILE *to, const char *type)
{
	union { int32_t i; uint32_t u; uint64_t t; const char *s; } value;
	size_t n = 0;
	int r = sd_bus_message_enter_container(m, 'a', type);
	if (r < 0)
		return r;
	for (; (r = sd_bus_message_read_basic(m, type[0], &value)) > 0; n++)
		if (n < MAX_VALUES_SHOWN) {
			fputs(n > 0 ? ", " : "", to);
			print_basic(to, type[0], &value);
		}
	if (n > MAX_VALUES_SHOWN)
		fprintf(to, " and %zu more", n - MAX_VALUES_SHOWN);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static bool is_printable(const char *type)
{
	if (type[0] == 'a')
		type++;
	return type[0] != '\0' && strchr("iutsb", type[0]) != NULL && type[1] == '\0';
}

static int print_value(sd_bus_message *m, FILE *to, const char *type)
{
	union { int32_t i; uint32_t u; uint64_t t; const char *s; } value;
	if (type[0] == 'a')
		return print_list(m, to, type + 1);
	int r = sd_bus_message_read_basic(m, type[0], &value);
	if (r > 0)
		print_basic(to, type[0], &value);
	return r;
}

static int read_value(sd_bus_message *m, const char **text)
{
	char kind, type[3], *printed = NULL;
	const char *contents;
	size_t size;
	int r = sd_bus_message_peek_type(m, &kind, &contents);
	if (r < 0)
		return r;
	if (*text != NULL || kind != 'v')
		return -EBADMSG;
	if (!is_printable(contents)) { /* a newer service sent it */
		*text = strdup("");
		return *text != NULL ? sd_bus_message_skip(m, "v") : -ENOMEM;
	}
	strcpy(type, contents); /* the message forgets it with the next look ahead */
	if ((r = sd_bus_message_enter_container(m, 'v', type)) < 0)
		return r;
	FILE *to = open_memstream(&printed, &size);
	if (to == NULL)
		return -ENOMEM;
	r = print_value(m, to, type);
	if (fclose(to) != 0 && r >= 0)
		r = -ENOMEM;
	*text = printed;
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_string(sd_bus_message *m, const char **text)
{
	const char *value;
	int r = sd_bus_message_read(m, "v", "s", &value);
	if (r < 0)
		return r;
	if (*text != NULL)
		return -EBADMSG;
	*text = strdup(value);
	return *text != NULL ? 0 : -ENOMEM;
}

static int read_one(sd_bus_message *m, struct dmabroker_constraint *one)
{
	const char *key;
	int r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		if ((r = sd_bus_message_read(m, "s", &key)) < 0)
			return r;
		if (strcmp(key, "entry") == 0)
			r = sd_bus_message_read(m, "v", "i", &one->entry);
		else if (strcmp(key, "device") == 0)
			r = read_string(m, &one->device);
		else if (strcmp(key, "constraint") == 0)
			r = read_string(m, &one->constraint);
		else if (strcmp(key, "value") == 0)
			r = read_value(m, &one->value);
		else if (strcmp(key, "source") == 0)
			r = read_string(m, &one->source);
		else
			r = sd_bus_message_skip(m, "v");
		if (r < 0 || (r = sd_bus_message_exit_container(m)) < 0)
			return r;
	}
	if (r < 0)
		return r;
	return one->device != NULL && one->constraint != NULL && one->value != NULL && one->source != NULL ? 0 : -EBADMSG;
}

int read_constraints(sd_bus_message *m, struct constraints *list)
{
	int r = sd_bus_message_enter_container(m, 'a', "a{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'a', "{sv}")) > 0) {
		if (list->n == MAX_CONSTRAINTS)
			return -EBADMSG;
		if ((list->n & (list->n - 1)) == 0) { /* doubles when it is full */
			struct dmabroker_constraint *all = realloc(list->all, 2 * (list->n + 1) * sizeof *all);
			if (all == NULL)
				return -ENOMEM;
			list->all = all;
		}
		list->all[list->n] = (struct dmabroker_constraint){ .entry = -1 };
		if ((r = read_one(m, &list->all[list->n++])) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}
