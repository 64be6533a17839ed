/*
 * Shows a buffer of the broker in a Wayland compositor: takes devices, formats and modifiers from linux-dmabuf feedback, asks
 * the broker for memory that suits them, and hands it over with zwp_linux_dmabuf_v1.
 *
 *   P=/usr/share/wayland-protocols
 *   for X in $P/stable/xdg-shell/xdg-shell.xml $P/unstable/linux-dmabuf/linux-dmabuf-unstable-v1.xml; do
 *     wayland-scanner client-header $X $(basename $X .xml).h
 *     wayland-scanner private-code $X $(basename $X .xml).c
 *   done
 *   cc -I. -o wayland wayland.c xdg-shell.c linux-dmabuf-unstable-v1.c $(pkg-config --cflags --libs dmabroker wayland-client)
 *   ./wayland
 */
#include "linux-dmabuf-unstable-v1.h"
#include "xdg-shell.h"

#include <dmabroker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client.h>

#define XRGB8888 0x34325258 /* DRM_FORMAT_XRGB8888 */

enum { WIDTH = 640, HEIGHT = 480, MAX_TRANCHES = 16, MAX_MODIFIERS = 64 };

struct format { /* a row of the compositor's table */
	uint32_t format, padding;
	uint64_t modifier;
};

struct tranche {
	dev_t device;
	bool scanout;
	size_t n;
	uint64_t modifiers[MAX_MODIFIERS]; /* of XRGB8888 */
};

static struct {
	struct wl_compositor *compositor;
	struct xdg_wm_base *shell;
	struct zwp_linux_dmabuf_v1 *dmabuf;
	struct wl_surface *surface;
	struct wl_buffer *buffer;

	const struct format *table;
	size_t table_size;
	dev_t main_device; /* what the compositor draws with */
	struct tranche tranches[MAX_TRANCHES];
	size_t n_tranches;
	bool has_feedback, failed, closed;
} app;

static dev_t device_of(const struct wl_array *bytes)
{
	dev_t device = 0;
	memcpy(&device, bytes->data, bytes->size < sizeof(device) ? bytes->size : sizeof(device));
	return device;
}

/* --- Feedback: tranches come one after the other, the one that the compositor likes best first. */

typedef struct zwp_linux_dmabuf_feedback_v1 feedback;

static struct tranche *current(void)
{
	return app.n_tranches < MAX_TRANCHES ? &app.tranches[app.n_tranches] : NULL;
}

static void on_done(void *data, feedback *from)
{
	(void)data, (void)from;
	app.has_feedback = true;
}

static void on_table(void *data, feedback *from, int32_t fd, uint32_t size)
{
	(void)data, (void)from;
	void *table = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (table == MAP_FAILED)
		return;
	app.table = table;
	app.table_size = size / sizeof(struct format);
}

static void on_main_device(void *data, feedback *from, struct wl_array *device)
{
	(void)data, (void)from;
	app.main_device = device_of(device);
}

static void on_tranche_done(void *data, feedback *from)
{
	(void)data, (void)from;
	if (current() != NULL)
		app.n_tranches++;
}

static void on_tranche_device(void *data, feedback *from, struct wl_array *device)
{
	(void)data, (void)from;
	if (current() != NULL)
		current()->device = device_of(device);
}

static void on_tranche_formats(void *data, feedback *from, struct wl_array *indices)
{
	struct tranche *tranche = current();
	uint16_t *index;
	(void)data, (void)from;
	wl_array_for_each(index, indices)
		if (tranche != NULL && *index < app.table_size && app.table[*index].format == XRGB8888 && tranche->n < MAX_MODIFIERS)
			tranche->modifiers[tranche->n++] = app.table[*index].modifier;
}

static void on_tranche_flags(void *data, feedback *from, uint32_t flags)
{
	(void)data, (void)from;
	if (current() != NULL)
		current()->scanout = flags & ZWP_LINUX_DMABUF_FEEDBACK_V1_TRANCHE_FLAGS_SCANOUT;
}

static const struct zwp_linux_dmabuf_feedback_v1_listener feedback_listener = { on_done, on_table, on_main_device,
	on_tranche_done, on_tranche_device, on_tranche_formats, on_tranche_flags };

/* --- The buffer */

static int allocate(struct dmabroker *broker, const struct tranche *tranche, struct dmabroker_allocation **allocation)
{
	struct dmabroker_request *request;
	int r = dmabroker_request_new(&request);
	if (r < 0)
		return r;
	/* A display shows the buffer as it is at times; at other times the compositor draws with it. */
	int device = dmabroker_request_add_dev_t(request, tranche->device,
		tranche->scanout ? DMABROKER_USE_SCANOUT : DMABROKER_USE_TEXTURE);
	if (device < 0 || dmabroker_request_set_image(request, WIDTH, HEIGHT, XRGB8888) < 0 ||
	    dmabroker_request_set_count(request, 1) < 0 || dmabroker_request_set_label(request, "wayland") < 0 ||
	    dmabroker_request_set_device_modifiers(request, device, tranche->modifiers, tranche->n) < 0 ||
	    (tranche->scanout && dmabroker_request_add_dev_t(request, app.main_device, DMABROKER_USE_TEXTURE) < 0) ||
	    dmabroker_request_add_device(request, "cpu", DMABROKER_USE_WRITE) < 0) {
		fprintf(stderr, "request: %s\n", dmabroker_request_error(request));
		r = -1;
	} else if ((r = dmabroker_allocate(broker, request, allocation)) < 0) {
		fprintf(stderr, "broker: %s\n", dmabroker_error(broker));
	}
	dmabroker_request_free(request);
	return r;
}

static int draw(int fd, const struct dmabroker_layout *layout)
{
	void *pixels;
	if (dmabroker_map(fd, layout->size, DMABROKER_CPU_WRITE, &pixels) < 0)
		return -1;
	dmabroker_cpu_begin(fd, DMABROKER_CPU_WRITE);
	for (uint32_t y = 0; y < layout->height; y++) {
		uint32_t *row = (uint32_t *)((char *)pixels + layout->offset[0] + (size_t)y * layout->stride[0]);
		for (uint32_t x = 0; x < layout->width; x++)
			row[x] = (x * 255 / layout->width) << 16 | (y * 255 / layout->height) << 8;
	}
	dmabroker_cpu_end(fd, DMABROKER_CPU_WRITE);
	dmabroker_unmap(pixels, layout->size);
	return 0;
}

static void on_created(void *data, struct zwp_linux_buffer_params_v1 *params, struct wl_buffer *buffer)
{
	(void)data, (void)params;
	app.buffer = buffer;
}

static void on_failed(void *data, struct zwp_linux_buffer_params_v1 *params)
{
	(void)data, (void)params;
	app.failed = true;
}

static const struct zwp_linux_buffer_params_v1_listener params_listener = { on_created, on_failed };

/* The compositor may refuse what its feedback allows; then the next tranche is tried. */
static bool import(struct wl_display *display, int fd, const struct dmabroker_layout *layout)
{
	struct zwp_linux_buffer_params_v1 *params = zwp_linux_dmabuf_v1_create_params(app.dmabuf);
	zwp_linux_buffer_params_v1_add_listener(params, &params_listener, NULL);
	for (uint32_t plane = 0; plane < layout->n_planes; plane++)
		zwp_linux_buffer_params_v1_add(params, fd, plane, layout->offset[plane], layout->stride[plane],
			(uint32_t)(layout->modifier >> 32), (uint32_t)layout->modifier);
	app.failed = false;
	zwp_linux_buffer_params_v1_create(params, (int32_t)layout->width, (int32_t)layout->height, layout->format, 0);
	while (app.buffer == NULL && !app.failed)
		if (wl_display_dispatch(display) < 0)
			return false;
	zwp_linux_buffer_params_v1_destroy(params);
	return app.buffer != NULL;
}

static bool make_buffer(struct wl_display *display, struct dmabroker *broker)
{
	for (size_t i = 0; i < app.n_tranches; i++) {
		struct dmabroker_allocation *allocation;
		if (app.tranches[i].n == 0 || allocate(broker, &app.tranches[i], &allocation) < 0)
			continue;
		const struct dmabroker_layout *layout = dmabroker_allocation_layout(allocation);
		int fd = dmabroker_allocation_fd(allocation, 0);
		if (draw(fd, layout) == 0 && import(display, fd, layout))
			return true;
		dmabroker_allocation_release(allocation);
	}
	return false;
}

/* --- The window */

static void on_ping(void *data, struct xdg_wm_base *shell, uint32_t serial)
{
	(void)data;
	xdg_wm_base_pong(shell, serial);
}

static const struct xdg_wm_base_listener shell_listener = { .ping = on_ping };

static void on_configure(void *data, struct xdg_surface *surface, uint32_t serial)
{
	(void)data;
	xdg_surface_ack_configure(surface, serial);
	wl_surface_attach(app.surface, app.buffer, 0, 0);
	wl_surface_damage_buffer(app.surface, 0, 0, WIDTH, HEIGHT);
	wl_surface_commit(app.surface);
}

static const struct xdg_surface_listener surface_listener = { .configure = on_configure };

static void on_size(void *data, struct xdg_toplevel *window, int32_t width, int32_t height, struct wl_array *states)
{
	(void)data, (void)window, (void)width, (void)height, (void)states;
}

static void on_close(void *data, struct xdg_toplevel *window)
{
	(void)data, (void)window;
	app.closed = true;
}

static const struct xdg_toplevel_listener window_listener = { .configure = on_size, .close = on_close };

static void on_global(void *data, struct wl_registry *registry, uint32_t name, const char *interface, uint32_t version)
{
	(void)data;
	if (strcmp(interface, wl_compositor_interface.name) == 0 && version >= 4) {
		app.compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 4);
	} else if (strcmp(interface, xdg_wm_base_interface.name) == 0) {
		app.shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
		xdg_wm_base_add_listener(app.shell, &shell_listener, NULL);
	} else if (strcmp(interface, zwp_linux_dmabuf_v1_interface.name) == 0 && version >= 4) {
		app.dmabuf = wl_registry_bind(registry, name, &zwp_linux_dmabuf_v1_interface, 4);
	}
}

static void on_global_remove(void *data, struct wl_registry *registry, uint32_t name)
{
	(void)data, (void)registry, (void)name;
}

static const struct wl_registry_listener registry_listener = { on_global, on_global_remove };

static void show(struct wl_display *display)
{
	app.surface = wl_compositor_create_surface(app.compositor);
	struct xdg_surface *surface = xdg_wm_base_get_xdg_surface(app.shell, app.surface);
	struct xdg_toplevel *window = xdg_surface_get_toplevel(surface);
	xdg_surface_add_listener(surface, &surface_listener, NULL);
	xdg_toplevel_add_listener(window, &window_listener, NULL);
	xdg_toplevel_set_title(window, "dmabroker");
	wl_surface_commit(app.surface);
	while (!app.closed && wl_display_dispatch(display) >= 0)
		;
}

int main(void)
{
	struct dmabroker *broker;
	struct wl_display *display = wl_display_connect(NULL);
	if (display == NULL) {
		fprintf(stderr, "no Wayland compositor\n");
		return 1;
	}
	wl_registry_add_listener(wl_display_get_registry(display), &registry_listener, NULL);
	wl_display_roundtrip(display);
	if (app.compositor == NULL || app.shell == NULL || app.dmabuf == NULL) {
		fprintf(stderr, "the compositor has no linux-dmabuf feedback\n");
		return 1;
	}
	zwp_linux_dmabuf_feedback_v1_add_listener(zwp_linux_dmabuf_v1_get_default_feedback(app.dmabuf), &feedback_listener, NULL);
	while (!app.has_feedback && wl_display_dispatch(display) >= 0)
		;
	int r = dmabroker_open(&broker, NULL);
	if (r < 0) {
		fprintf(stderr, "no broker: %s\n", strerror(-r));
		return 1;
	}
	bool made = make_buffer(display, broker);
	if (made)
		show(display);
	else
		fprintf(stderr, "no buffer that broker and compositor both take\n");
	wl_display_disconnect(display);
	dmabroker_close(broker);
	return made ? 0 : 1;
}
