/*
 * Allocates an image that a display shows and this program draws, with libdmabroker.  Where nothing suits both, it says
 * what clashes, and asks again without what it asked for itself.
 *
 *   cc -o libdmabroker libdmabroker.c $(pkg-config --cflags --libs dmabroker)
 *   ./libdmabroker /dev/dri/card0
 */
#include <dmabroker.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define XRGB8888 0x34325258 /* DRM_FORMAT_XRGB8888 */

static struct dmabroker_request *new_request(const char *display, bool aligned)
{
	struct dmabroker_request *request;
	if (dmabroker_request_new(&request) < 0)
		return NULL;
	int cpu = dmabroker_request_add_device(request, "cpu", DMABROKER_USE_READ | DMABROKER_USE_WRITE);
	if (cpu < 0 || dmabroker_request_set_image(request, 1366, 768, XRGB8888) < 0 ||
	    dmabroker_request_set_label(request, "example") < 0 ||
	    (display != NULL && dmabroker_request_add_device(request, display, DMABROKER_USE_SCANOUT) < 0) ||
	    /* A limit of our own that hardly any display can satisfy. */
	    (aligned && dmabroker_request_set_limit(request, cpu, DMABROKER_PITCH_EXACT, 1) < 0) ||
	    (aligned && dmabroker_request_set_limit(request, cpu, DMABROKER_PITCH_MULTIPLE, 100) < 0)) {
		fprintf(stderr, "request: %s\n", dmabroker_request_error(request));
		dmabroker_request_free(request);
		return NULL;
	}
	return request;
}

static void print_conflict(struct dmabroker *broker)
{
	const struct dmabroker_constraint *constraints;
	int n = dmabroker_error_constraints(broker, &constraints);
	for (int i = 0; i < n; i++)
		printf("clashes: %s %s of %s (%s)\n", constraints[i].constraint, constraints[i].value,
		       constraints[i].device[0] != '\0' ? constraints[i].device : "the buffer", constraints[i].source);
}

static int allocate(struct dmabroker *broker, const char *display, struct dmabroker_allocation **allocation)
{
	int r = -ENOTSUP;
	for (int aligned = 1; aligned >= 0 && r == -ENOTSUP; aligned--) {
		struct dmabroker_request *request = new_request(display, aligned);
		if (request == NULL)
			return -ENOMEM;
		r = dmabroker_allocate(broker, request, allocation);
		if (r == -ENOTSUP)
			print_conflict(broker);
		dmabroker_request_free(request);
	}
	return r;
}

static int draw(int fd, const struct dmabroker_layout *layout)
{
	void *pixels;
	int r = dmabroker_map(fd, layout->size, DMABROKER_CPU_WRITE, &pixels);
	if (r < 0)
		return r;
	dmabroker_cpu_begin(fd, DMABROKER_CPU_WRITE);
	for (uint32_t y = 0; y < layout->height; y++)
		memset((char *)pixels + layout->offset[0] + (size_t)y * layout->stride[0], y & 0xff, layout->width * 4);
	dmabroker_cpu_end(fd, DMABROKER_CPU_WRITE);
	dmabroker_unmap(pixels, layout->size);
	return 0;
}

int main(int argc, char **argv)
{
	const char *display = argc > 1 && strcmp(argv[1], "--system") != 0 ? argv[1] : NULL;
	const char *bus = strcmp(argv[argc - 1], "--system") == 0 ? "system" : "session";
	struct dmabroker *broker;
	struct dmabroker_allocation *allocation;
	int r = dmabroker_open(&broker, bus);
	if (r < 0) {
		fprintf(stderr, "no broker: %s\n", strerror(-r));
		return 1;
	}
	r = allocate(broker, display, &allocation);
	if (r < 0) {
		fprintf(stderr, "refused: %s\n", dmabroker_error(broker));
	} else {
		const struct dmabroker_layout *layout = dmabroker_allocation_layout(allocation);
		r = draw(dmabroker_allocation_fd(allocation, 0), layout);
		printf("stride %u bytes, size %llu bytes, %s\n", layout->stride[0], (unsigned long long)layout->size,
		       r < 0 ? strerror(-r) : "drawn");
		dmabroker_allocation_release(allocation);
	}
	dmabroker_close(broker);
	return r < 0;
}
