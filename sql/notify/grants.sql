-- grants: who may call what of notifications. Applied last; no role but the owner has a right on a table.
--
--     millrace_enqueuer   emits, and keeps its users' settings   millrace_worker     and brings emails to their end
--     millrace_operator   and everything that people decide      millrace_viewer     looks at types and emails
--
-- Locks   none.
-- Raises  nothing.

revoke all on all tables in schema notify from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                               millrace_viewer;
revoke all on all functions in schema notify from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                  millrace_viewer;
revoke all on all sequences in schema notify from public, millrace_enqueuer, millrace_worker, millrace_operator,
                                                  millrace_viewer;
grant select on notify.emails, notify.suppressions to millrace_operator, millrace_viewer;

do $$
declare
    granted record;
begin
    for granted in
        select f.oid::regprocedure as signature, r.name as role
          from (values
                ('millrace_enqueuer', '{define_type,types,should_send,config,configure,unsubscribe,emit,
                                        cl_comment_created,html_escape}'::text[]),
                ('millrace_worker', '{types,should_send,config,configure,unsubscribe,emit,cl_comment_created,
                                      html_escape,message_of,digest_of,digest_to,template_of,is_suppressed,
                                      record_delivery,upkeep,overview}'),
                ('millrace_operator', '{define_type,types,should_send,config,configure,unsubscribe,emit,
                                        cl_comment_created,html_escape,set_sender,put_template,drop_template,
                                        template_of,suppress,unsuppress,bounced,is_suppressed,find_emails,
                                        status_by_job,set_up,set_queue_owner,upkeep,erase_user,overview}'),
                ('millrace_viewer', '{types,should_send,find_emails,status_by_job,overview}')) r(name, functions)
          join pg_catalog.pg_proc f on f.pronamespace = 'notify'::regnamespace and f.proname = any (r.functions)
    loop
        execute format('grant execute on function %s to %I', granted.signature, granted.role);
    end loop;
end
$$;
