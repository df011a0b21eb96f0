# Source installs and prebuilds (node-gyp). Development uses CMakeLists.txt, which alone has
# -Werror: a warning of a compiler that we never saw must not break somebody's install.
{
  "targets": [
    {
      "target_name": "node_libfabric",
      "sources": ["<!@(cat native/sources.txt)"],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_LIBFABRIC_VERSION=\"<!(node -p \"require('./package.json').version\")\""
      ],
      # the headers only: the addon opens libfabric.so at run time and never links with it
      "include_dirs": [
        "<!(node scripts/libfabric-headers.mjs)",
        "<!(node -p \"require('node-addon-api').include_dir\")"
      ],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags_cc": [
        "-Wall",
        "-Wextra",
        "-Wshadow",
        "-fexceptions",
        "-fvisibility=hidden",
        "-fvisibility-inlines-hidden",
        # the hot path goes through several files
        "-flto"
      ],
      "ldflags": ["-flto"],
      "libraries": ["-ldl"]
    }
  ]
}
