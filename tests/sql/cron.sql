-- cron.sql: what a cron expression means, field by field; nonsense is refused and the field named.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
select plan(82);

-- Fields: what is written, and the values that it means.
select is((millrace.parse_cron(said || ' 0 1 1 *')).minutes, meant::int[], 'minute ' || said)
  from (values ('0', '{0}'), ('59', '{59}'), ('00', '{0}'), ('1,3,2', '{1,2,3}'), ('5,5', '{5}'),
               ('10-13', '{10,11,12,13}'), ('7-7', '{7}'), ('*/20', '{0,20,40}'), ('5-20/5', '{5,10,15,20}'),
               ('5-21/5', '{5,10,15,20}'),
               ('*/59', '{0,59}'), ('1-2,50-51,*/30', '{0,1,2,30,50,51}')) f(said, meant);
select is((millrace.parse_cron('* * * * *')).minutes, array(select generate_series(0, 59)), 'every minute');
select is((millrace.parse_cron('* * * * *')).hours, array(select generate_series(0, 23)), 'every hour');
select is((millrace.parse_cron('* * * * *')).days, array(select generate_series(1, 31)), 'every day');
select is((millrace.parse_cron('0 0 1 ' || said || ' *')).months, meant::int[], 'month ' || said)
  from (values ('*', '{1,2,3,4,5,6,7,8,9,10,11,12}'), ('jan', '{1}'), ('DEC', '{12}'), ('feb-apr', '{2,3,4}'),
               ('oct-12', '{10,11,12}'), ('*/5', '{1,6,11}'), ('jan-dec/6', '{1,7}')) f(said, meant);
select is((millrace.parse_cron('0 0 * * ' || said)).weekdays, meant::int[], 'day of week ' || said)
  from (values ('*', '{0,1,2,3,4,5,6}'), ('0', '{0}'), ('7', '{0}'), ('sun', '{0}'), ('Sat', '{6}'),
               ('mon-fri', '{1,2,3,4,5}'), ('5-7', '{0,5,6}'), ('fri-sun', '{0,5,6}'), ('0-7', '{0,1,2,3,4,5,6}'),
               ('sun-tue', '{0,1,2}'), ('*/2', '{0,2,4,6}'), ('*/7', '{0}'), ('6,7', '{0,6}')) f(said, meant);
select is(millrace.parse_cron(nickname), millrace.parse_cron(meant), nickname)
  from (values ('@hourly', '0 * * * *'), ('@daily', '0 0 * * *'), ('@midnight', '0 0 * * *'), ('@WEEKLY', '0 0 * * 0'),
               ('@monthly', '0 0 1 * *'), ('@yearly', '0 0 1 1 *'), (' @annually ', '0 0 1 1 *'),
               (E' 0\t0   1 1 * ', '0 0 1 1 *')) n(nickname, meant);

-- Days: of month or of week where both are said, of month and of week where one begins with a star.
select is((millrace.parse_cron('0 0 ' || said)).either_day, either,
          said || case when either then ': or' else ': and' end)
  from (values ('13 * fri', true), ('13 * *', false), ('* * fri', false), ('*/2 * fri', false), ('13 * */5', false),
               ('1-31 * 0-6', true)) d(said, either);
select is(millrace.cron_day(millrace.parse_cron('0 0 ' || said), from_day::date), meant::date,
          said || ' from ' || from_day)
  from (values ('13 * fri', '2026-11-01', '2026-11-06'), ('13 * fri', '2026-11-07', '2026-11-13'),
               ('13 * */5', '2026-11-01', '2026-11-13'), ('*/2 * fri', '2026-11-01', '2026-11-13'),
               ('31 * *', '2026-11-01', '2026-12-31'), ('* feb *', '2026-11-01', '2027-02-01'),
               ('29 2 *', '2026-03-01', '2028-02-29'), ('29 2 *', '2096-03-01', '2104-02-29'),
               ('29 2 */7', '2088-03-01', '2128-02-29')) d(said, from_day, meant);

-- Refused: the message names the field and what was said, the hint what is allowed.
select throws_ok(format('select millrace.parse_cron(%L)', said), 'MR005', 'schedule: bad cron' || complaint,
                 coalesce(said, 'null'))
  from (values (null, ''), ('', ': 1 fields in '''''), ('* * * *', ': 4 fields in ''* * * *'''),
               ('0 0 * * * *', ': 6 fields in ''0 0 * * * *'''), ('@reboot', ': there is no ''@reboot'''),
               (repeat('1,', 96) || '1 * * * *', ''),
               ('60 * * * *', ': minute ''60'''), ('-1 * * * *', ': minute ''-1'''),
               ('5/15 * * * *', ': minute ''5/15'''), ('*/0 * * * *', ': minute ''*/0'''),
               ('*/90 * * * *', ': minute ''*/90'''),
               ('1,,2 * * * *', ': minute '''''), ('30-10 * * * *', ': minute ''30-10'''),
               ('jan * * * *', ': minute ''jan'''), ('0 24 * * *', ': hour ''24'''),
               ('0 0 0 * *', ': day of month ''0'''), ('0 0 32 * *', ': day of month ''32'''),
               ('0 0 L * *', ': day of month ''l'''),
               ('0 0 1 13 *', ': month ''13'''), ('0 0 * * 8', ': day of week ''8'''),
               ('0 0 * * fri-mon', ': day of week ''fri-mon'''), ('0 0 ? * *', ': day of month ''?'''),
               ('0 0 30 2 *', ': day of month ''30'' never comes in month ''2''')) b(said, complaint);
select lives_ok('select millrace.parse_cron(''0 0 30 feb mon'')',
                'with days of the week the 30th of February is no matter');
select * from finish();
rollback;
