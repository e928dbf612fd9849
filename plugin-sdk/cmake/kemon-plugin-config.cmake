# SPDX-License-Identifier: Apache-2.0
#
#   find_package(kemon-plugin 1 REQUIRED)
#   kemon_add_plugin(my-guard plugin.c)          # builds libmy-guard.so
include("${CMAKE_CURRENT_LIST_DIR}/kemon-plugin-targets.cmake")

set(KEMON_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/exports.map")

# A shared library that exports its entry and its manifest, nothing else.
function(kemon_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE kemon::plugin)
  set_target_properties(
    ${name} PROPERTIES PREFIX lib C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
                       VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS "${KEMON_PLUGIN_EXPORTS}")
  target_link_options(${name} PRIVATE "LINKER:--version-script=${KEMON_PLUGIN_EXPORTS}" LINKER:--no-undefined)
endfunction()
