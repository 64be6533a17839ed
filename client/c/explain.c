/* SPDX-License-Identifier: MIT
 * What Allocate would decide. */
#include "private.h"

#include <stdio.h>

void explanation_free(struct explanation *explanation)
{
	constraints_free(&explanation->constraints);
	constraints_free(&explanation->conflicts);
	free(explanation->notes);
	*explanation = (struct explanation){ 0 };
}

static int read_notes(sd_bus_message *m, FILE *to)
{
	const char *note;
	int r = sd_bus_message_enter_container(m, 'v', "as");
	if (r < 0 || (r = sd_bus_message_enter_container(m, 'a', "s")) < 0)
		return r;
	while ((r = sd_bus_message_read(m, "s", &note)) > 0)
		fprintf(to, "%s\n", note);
	if (r < 0 || (r = sd_bus_message_exit_container(m)) < 0)
		return r;
	return sd_bus_message_exit_container(m);
}

static int read_list(sd_bus_message *m, struct constraints *list)
{
	int r = sd_bus_message_enter_container(m, 'v', "aa{sv}");
	if (r < 0)
		return r;
	if (list->n > 0)
		return -EBADMSG;
	if ((r = read_constraints(m, list)) < 0)
		return r;
	return sd_bus_message_exit_container(m);
}

struct reading {
	struct explanation *to;
	FILE *notes;
	bool has_feasible, has_layout;
};

static int read_field(sd_bus_message *m, const struct dmabroker_request *request, struct reading *reading)
{
	const char *key;
	int feasible;
	int r = sd_bus_message_read(m, "s", &key);
	if (r < 0)
		return r;
	if (strcmp(key, "feasible") == 0) {
		r = sd_bus_message_read(m, "v", "b", &feasible);
		reading->has_feasible = true;
		reading->to->feasible = r >= 0 && feasible != 0;
		return r;
	}
	if (strcmp(key, "layout") == 0) {
		reading->has_layout = true;
		if ((r = sd_bus_message_enter_container(m, 'v', "a{sv}")) < 0 ||
		    (r = read_layout(m, request, &reading->to->layout)) < 0)
			return r;
		return sd_bus_message_exit_container(m);
	}
	if (strcmp(key, "constraints") == 0)
		return read_list(m, &reading->to->constraints);
	if (strcmp(key, "conflicts") == 0)
		return read_list(m, &reading->to->conflicts);
	if (strcmp(key, "limits") == 0 || strcmp(key, "suggestions") == 0)
		return read_notes(m, reading->notes);
	return sd_bus_message_skip(m, "v");
}

int read_explanation(sd_bus_message *m, const struct dmabroker_request *request, struct explanation *explanation)
{
	struct reading reading = { .to = explanation };
	size_t size;
	int r = 0;
	*explanation = (struct explanation){ 0 };
	reading.notes = open_memstream(&explanation->notes, &size);
	if (reading.notes == NULL)
		return -ENOMEM;
	if (sd_bus_message_has_signature(m, "a{sv}") <= 0)
		r = -EBADMSG;
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0)
		if ((r = read_field(m, request, &reading)) >= 0)
			r = sd_bus_message_exit_container(m);
	if (fclose(reading.notes) != 0 && r >= 0)
		r = -ENOMEM;
	if (r >= 0 && (!reading.has_feasible || (explanation->feasible && !reading.has_layout)))
		r = -EBADMSG;
	if (r < 0)
		explanation_free(explanation);
	return r < 0 ? r : 0;
}

static void print_constraints(FILE *to, const struct constraints *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct dmabroker_constraint *one = &list->all[i];
		fprintf(to, "%s: %s %s (%s)\n", one->device[0] != '\0' ? one->device : "buffer", one->constraint, one->value,
			one->source);
	}
}

char *explanation_text(const struct explanation *explanation)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	if (explanation->feasible) {
		const struct dmabroker_layout *layout = &explanation->layout.layout;
		fprintf(to, "feasible: %llu bytes", (unsigned long long)layout->size);
		for (uint32_t i = 0; i < layout->n_planes; i++)
			fprintf(to, ", plane %lu: offset %lu, stride %lu", (unsigned long)i,
				(unsigned long)layout->offset[i], (unsigned long)layout->stride[i]);
		fputs("\n", to);
		print_constraints(to, &explanation->constraints);
	} else {
		fputs("not feasible; these cannot hold together:\n", to);
		print_constraints(to, &explanation->conflicts);
	}
	if (explanation->notes != NULL)
		fputs(explanation->notes, to);
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
