# Compiles the templates of `mvctl init` into a source file, MV_TEMPLATES_SOURCE. Each is `TEMPLATE:PATH IN THE PROJECT`.
set(MV_TEMPLATES)
foreach(entry CMakeLists.txt.in:CMakeLists.txt main.c.in:main.c CMakePresets.json.in:CMakePresets.json gitignore.in:.gitignore
              tasks.json.in:.vscode/tasks.json launch.json.in:.vscode/launch.json
              settings.json.in:.vscode/settings.json)
  string(REPLACE ":" ";" pair ${entry})
  list(GET pair 0 template)
  list(GET pair 1 path)
  set(file ${CMAKE_CURRENT_LIST_DIR}/${template})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  string(APPEND MV_TEMPLATES "      {\"${path}\", R\"mvtemplate(${text})mvtemplate\"},\n")
endforeach()
set(MV_TEMPLATES_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/templates.cc)
configure_file(${CMAKE_CURRENT_LIST_DIR}/templates.cc.in ${MV_TEMPLATES_SOURCE} @ONLY)
