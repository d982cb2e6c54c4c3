/* Values of JavaScript in and out: arguments, properties, errors with an errno, callbacks. */
#include <stdio.h>
#include <string.h>

#include "addon.h"

napi_value make_errno_error(napi_env env, int error, const char *syscall, const char *path, const char *detail) {
  const char *code = strerrorname_np(error);
  char fallback[24];
  if (code == NULL) {
    snprintf(fallback, sizeof fallback, "E%d", error);
    code = fallback;
  }
  struct tsc_text message = {0};
  tsc_text_addf(&message, "%s: %s, %s", code, strerror(error), syscall);
  if (path != NULL) tsc_text_addf(&message, " '%s'", path);
  if (detail != NULL && *detail != '\0') tsc_text_addf(&message, ": %s", detail);
  napi_value text = from_string(env, message.failed ? code : message.data), result;
  tsc_text_free(&message);
  napi_create_error(env, NULL, text, &result);
  napi_set_named_property(env, result, "code", from_string(env, code));
  napi_set_named_property(env, result, "errno", from_int(env, -error));
  napi_set_named_property(env, result, "syscall", from_string(env, syscall));
  if (path != NULL) napi_set_named_property(env, result, "path", from_string(env, path));
  return result;
}

napi_value throw_errno(napi_env env, int error, const char *syscall, const char *path, const char *detail) {
  napi_throw(env, make_errno_error(env, error, syscall, path, detail));
  return NULL;
}

bool is_pending(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  return pending;
}

bool get_args(napi_env env, napi_callback_info info, size_t wanted, napi_value args[MAX_ARGS]) {
  size_t count = MAX_ARGS;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (count >= wanted) return true;
  napi_throw_type_error(env, NULL, "too few arguments");
  return false;
}

char *get_string(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "string expected");
    return NULL;
  }
  char *text = malloc(length + 1);
  if (text == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  if (strlen(text) != length) {
    /* A NUL inside would make the kernel see another path than JavaScript does. */
    free(text);
    napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", "string without NUL bytes expected");
    return NULL;
  }
  return text;
}

bool get_int(napi_env env, napi_value value, int64_t *out) {
  if (napi_get_value_int64(env, value, out) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "number expected");
  return false;
}

bool get_bool(napi_env env, napi_value value) {
  bool result = false;
  napi_get_value_bool(env, value, &result);
  return result;
}

char *get_property_string(napi_env env, napi_value object, const char *name) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return NULL;
  napi_typeof(env, value, &type);
  if (type == napi_undefined) return NULL;
  return get_string(env, value);
}

napi_value undefined(napi_env env) {
  napi_value result = NULL;
  napi_get_undefined(env, &result);
  return result;
}
napi_value from_bool(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}
napi_value from_string(napi_env env, const char *value) {
  napi_value result = NULL;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}
napi_value from_int(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_int64(env, value, &result);
  return result;
}

void define(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

void call_back(napi_env env, napi_ref function, size_t count, const napi_value *args) {
  napi_value callee, global, result;
  if (napi_get_reference_value(env, function, &callee) != napi_ok || callee == NULL) return;
  napi_get_global(env, &global);
  napi_make_callback(env, NULL, global, callee, count, args, &result);
  if (is_pending(env)) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
}
