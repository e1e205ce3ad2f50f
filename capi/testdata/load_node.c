/* load_node.c: an addon for Node that makes one round trip through a pipe. Node's ABI is declared here, as the few functions are stable and
 * its headers are not on every machine. */
#include <anypipe.h>

#include <string.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
extern int napi_create_function(napi_env, const char *name, size_t, napi_callback, void *, napi_value *);
extern int napi_create_int32(napi_env, int32_t, napi_value *);

__attribute__((visibility("default"))) int32_t node_api_module_get_api_version_v1(void) { return 8; }

static napi_value round_trip(napi_env env, napi_callback_info info) {
    (void)info;
    anypipe_handle r, w;
    char byte = 0;
    size_t n;
    napi_value value;
    int error = anypipe_pair(0, &r, &w);
    if (error == 0) error = anypipe_write(w, "n", 1, &n, ANYPIPE_FOREVER);
    if (error == 0) error = anypipe_read(r, &byte, 1, &n, ANYPIPE_FOREVER);
    if (error == 0) error = anypipe_close(r);
    if (error == 0) error = anypipe_close(w);
    if (error == 0 && (byte != 'n' || anypipe_open_handles() > 16)) error = ANYPIPE_OTHER;
    napi_create_int32(env, error, &value);
    return value;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    (void)exports;
    napi_value function;
    napi_create_function(env, "roundTrip", strlen("roundTrip"), round_trip, NULL, &function);
    return function;
}
