# SPDX-License-Identifier: Apache-2.0
#
#   find_package(kemon-plugin 1 REQUIRED)
#   kemon_add_plugin(my-guard plugin.c)          # builds libmy-guard.so
include("${CMAKE_CURRENT_LIST_DIR}/kemon-plugin-targets.cmake")

# kemon::hooks, where libKemonHooks.so is installed beside the SDK or named by KEMON_HOOKS_LIBRARY.
find_library(KEMON_HOOKS_LIBRARY KemonHooks HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../lib")
if(KEMON_HOOKS_LIBRARY AND NOT TARGET kemon::hooks)
  add_library(kemon::hooks SHARED IMPORTED)
  set_target_properties(kemon::hooks PROPERTIES IMPORTED_LOCATION "${KEMON_HOOKS_LIBRARY}" IMPORTED_NO_SONAME ON)
  target_link_libraries(kemon::hooks INTERFACE kemon::plugin)
endif()

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
