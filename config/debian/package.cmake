# What is installed, and the Debian package of it: `./dev package`, or cpack in a build folder.
#
# The manual page and the completions are asked of the program that is installed, so that they are about no other.
# /etc/millrace/millrace.conf is a conffile: what an administrator has changed there stays. The installation makes the
# user that the units run as, and starts and enables nothing; who removes the package stops and disables what is.

set(PACKAGE_FILES ${PROJECT_BINARY_DIR}/package-files)
install(CODE "
    file(MAKE_DIRECTORY \"${PACKAGE_FILES}\")
    foreach(made \"help man>millrace.1\" \"completion bash>millrace\" \"completion zsh>_millrace\")
        string(REGEX MATCH \"^(.*)>(.*)$\" made \"\${made}\")
        separate_arguments(words UNIX_COMMAND \"\${CMAKE_MATCH_1}\")
        set(file \"${PACKAGE_FILES}/\${CMAKE_MATCH_2}\")
        execute_process(COMMAND \"$<TARGET_FILE:millrace>\" \${words} OUTPUT_FILE \"\${file}\"
                        COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    execute_process(COMMAND gzip -9 -n -c \"${PACKAGE_FILES}/millrace.1\" OUTPUT_FILE \"${PACKAGE_FILES}/millrace.1.gz\"
                    COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND gzip -9 -n -c \"${PROJECT_SOURCE_DIR}/CHANGELOG.md\"
                    OUTPUT_FILE \"${PACKAGE_FILES}/changelog.gz\" COMMAND_ERROR_IS_FATAL ANY)
")
install(TARGETS millrace RUNTIME DESTINATION bin)
install(FILES ${PACKAGE_FILES}/millrace.1.gz DESTINATION share/man/man1)
install(FILES ${PACKAGE_FILES}/millrace DESTINATION share/bash-completion/completions)
install(FILES ${PACKAGE_FILES}/_millrace DESTINATION share/zsh/vendor-completions)
install(FILES config/millrace.conf DESTINATION /etc/millrace)
install(FILES config/forks.yml config/pipeline.yml config/roles.sql DESTINATION share/doc/millrace/examples)
install(FILES README.md config/debian/copyright ${PACKAGE_FILES}/changelog.gz DESTINATION share/doc/millrace)
file(GLOB units CONFIGURE_DEPENDS config/systemd/*.service config/systemd/*.timer config/systemd/*.target)
if(units)
    install(FILES ${units} DESTINATION /lib/systemd/system)
endif()
install(FILES config/systemd/millrace.sysusers DESTINATION lib/sysusers.d RENAME millrace.conf)
install(FILES config/prometheus/alerts.yml DESTINATION share/doc/millrace/examples)
file(GLOB dashboards CONFIGURE_DEPENDS config/grafana/*.json)
install(FILES ${dashboards} DESTINATION share/doc/millrace/examples)
install(FILES docs/runbooks.md DESTINATION share/doc/millrace)

file(WRITE ${PROJECT_BINARY_DIR}/conffiles "/etc/millrace/millrace.conf\n")
set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)  # not all of it is below /usr
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_CONTACT "The millrace maintainers <maintainers@millrace.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "job queue in PostgreSQL tables, and its worker")
set(CPACK_PACKAGE_DESCRIPTION "Jobs are enqueued with SQL, in the transaction of the application; any number of
workers without state claims and runs them. This package has the worker, its
command line, and the SQL that `millrace migrate` installs in a database.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, procps, systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS git)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql, bash-completion")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/conffiles)
foreach(script postinst prerm postrm)
    list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/config/debian/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
