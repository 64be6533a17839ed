/* Does with the library what the lines of its input say, and answers each with a line: the result, and more about it. */
#include <dmabroker.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct dmabroker *broker;
static struct dmabroker_request *request;
static struct dmabroker_allocation *allocation;
static int callbacks, lost;

static void answer(int result, const char *more)
{
	printf("%d %s\n", result, more);
	fflush(stdout);
}

static void answer_refusal(int result)
{
	answer(result, result < 0 ? dmabroker_error(broker) : "");
}

static uint64_t now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static int open_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;
	while (readdir(directory) != NULL)
		n++;
	closedir(directory);
	return n;
}

static void on_allocated(struct dmabroker_allocation *got, int error, void *data)
{
	(void)data;
	callbacks++;
	if (error == 0)
		allocation = got;
	answer(error, error == 0 ? dmabroker_allocation_path(got) : dmabroker_error(broker));
}

static void on_lost(struct dmabroker *gone, void *data)
{
	(void)data;
	lost++;
	answer(gone == broker ? 0 : 1, "lost");
}

/* Until a callback was called. */
static void loop(void)
{
	const int before = callbacks + lost;
	while (callbacks + lost == before) {
		uint64_t until;
		int r = dmabroker_get_timeout(broker, &until), wait = -1;
		if (r != 0)
			wait = until > now() ? (int)((until - now()) / 1000 + 1) : 0;
		struct pollfd poll_for = { dmabroker_get_fd(broker), (short)dmabroker_get_events(broker), 0 };
		if (poll(&poll_for, 1, wait) < 0)
			abort();
		while (callbacks + lost == before && (r = dmabroker_dispatch(broker)) > 0)
			;
		if (r < 0 && callbacks + lost == before) {
			answer_refusal(r);
			return;
		}
	}
}

static void explain(void)
{
	struct dmabroker_layout layout;
	char *text;
	int r = dmabroker_explain(broker, request, &layout, &text);
	if (r < 0) {
		answer_refusal(r);
		return;
	}
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\n')
			*c = '|';
	printf("%d %" PRIu64 " %u %s\n", r, layout.size, layout.stride[0], text);
	fflush(stdout);
	free(text);
}

static void layout(void)
{
	const struct dmabroker_layout *l = dmabroker_allocation_layout(allocation);
	printf("%u %ux%u %.4s 0x%" PRIx64 " %" PRIu64 " %d", l->n_planes, l->width, l->height, (const char *)&l->format,
	       l->modifier, l->size, l->cpu_access);
	for (uint32_t i = 0; i < l->n_planes; i++)
		printf(" %u+%u", l->offset[i], l->stride[i]);
	printf("\n");
	fflush(stdout);
}

static void constraints(void)
{
	const struct dmabroker_constraint *all;
	int n = dmabroker_error_constraints(broker, &all);
	printf("%d", n);
	for (int i = 0; i < n; i++)
		printf(" %d:%s:%s:%s:%s", all[i].entry, all[i].device, all[i].constraint, all[i].value, all[i].source);
	printf("\n");
	fflush(stdout);
}

static void ask_anew(void)
{
	dmabroker_request_free(request);
	if (dmabroker_request_new(&request) < 0)
		abort();
	answer(0, "");
}

static uint32_t fourcc(const char *name)
{
	char padded[5] = "    ";
	uint32_t code;
	memcpy(padded, name, strlen(name));
	memcpy(&code, padded, sizeof code);
	return code;
}

int main(void)
{
	char line[1024], word[16], text[512];
	unsigned a, b, c;
	unsigned long long big;
	int r;
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "open %511s", text) == 1) {
			r = dmabroker_open(&broker, strcmp(text, "default") == 0 ? NULL : text);
			answer(r, r == 0 ? "" : broker == NULL ? "none" : "some");
		} else if (strcmp(line, "close") == 0) {
			dmabroker_close(broker);
			broker = NULL;
			allocation = NULL;
			answer(0, "");
		} else if (sscanf(line, "timeout %llu", &big) == 1) {
			answer_refusal(dmabroker_set_timeout(broker, big));
		} else if (strcmp(line, "request") == 0) {
			ask_anew();
		} else if (sscanf(line, "image %u %u %15s", &a, &b, word) == 3) {
			answer(dmabroker_request_set_image(request, a, b, fourcc(word)), dmabroker_request_error(request));
		} else if (sscanf(line, "size %llu", &big) == 1) {
			answer(dmabroker_request_set_size(request, big), dmabroker_request_error(request));
		} else if (sscanf(line, "count %u", &a) == 1) {
			answer(dmabroker_request_set_count(request, a), dmabroker_request_error(request));
		} else if (sscanf(line, "label %511s", text) == 1) {
			answer(dmabroker_request_set_label(request, text), dmabroker_request_error(request));
		} else if (sscanf(line, "device %511s %u", text, &a) == 2) {
			answer(dmabroker_request_add_device(request, text, a), dmabroker_request_error(request));
		} else if (sscanf(line, "limit %u %u %u", &a, &b, &c) == 3) {
			answer(dmabroker_request_set_limit(request, (int)a, (enum dmabroker_limit)b, c),
			       dmabroker_request_error(request));
		} else if (sscanf(line, "modifier %llx", &big) == 1) {
			const uint64_t modifier = big;
			r = dmabroker_request_set_modifiers(request, &modifier, 1);
			answer(r, dmabroker_request_error(request));
		} else if (strcmp(line, "allocate") == 0) {
			r = dmabroker_allocate(broker, request, &allocation);
			answer(r, r < 0 ? dmabroker_error(broker) : dmabroker_allocation_path(allocation));
		} else if (strcmp(line, "async") == 0) {
			answer_refusal(dmabroker_allocate_async(broker, request, on_allocated, NULL));
		} else if (strcmp(line, "watch") == 0) {
			dmabroker_on_lost(broker, on_lost, NULL);
			answer(0, "");
		} else if (strcmp(line, "loop") == 0) {
			loop();
		} else if (sscanf(line, "extend %u", &a) == 1) {
			answer_refusal(dmabroker_extend(allocation, a));
		} else if (strcmp(line, "count") == 0) {
			answer((int)dmabroker_allocation_count(allocation), "");
		} else if (sscanf(line, "fd %u", &a) == 1) {
			answer(dmabroker_allocation_fd(allocation, a), "");
		} else if (sscanf(line, "take %u", &a) == 1) {
			r = dmabroker_allocation_take_fd(allocation, a);
			answer(r < 0 ? r : close(r), "");
		} else if (strcmp(line, "release") == 0) {
			dmabroker_allocation_release(allocation);
			allocation = NULL;
			answer(0, "");
		} else if (strcmp(line, "layout") == 0) {
			layout();
		} else if (strcmp(line, "explain") == 0) {
			explain();
		} else if (strcmp(line, "constraints") == 0) {
			constraints();
		} else if (strcmp(line, "fds") == 0) {
			answer(open_fds(), "");
		} else {
			answer(-1000, line);
		}
	}
	dmabroker_request_free(request);
	dmabroker_close(broker);
	return 0;
}
