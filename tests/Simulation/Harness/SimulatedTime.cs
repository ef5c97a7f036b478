namespace Dashboard.Simulation.Harness;

/// <summary>
/// The time of one world. It stands still until the world moves it, then runs what is due in the order of its time and of its
/// making. A server's wall clock may be off from it (<see cref="ServerTime"/>); the provider's never is.
/// </summary>
internal sealed class SimulatedTime(DateTimeOffset start)
{
    private readonly PriorityQueue<Alarm, (long At, long Order)> _alarms = new();
    private long _order;

    /// <summary>Ticks since the world began.</summary>
    public long Elapsed { get; private set; }

    public DateTimeOffset Now => start.AddTicks(Elapsed);

    /// <summary>When something is due next; null when nothing is.</summary>
    public long? NextDue
    {
        get
        {
            while (_alarms.TryPeek(out var alarm, out var due))
            {
                if (alarm.Run is not null)
                {
                    return due.At;
                }

                _alarms.Dequeue();
            }

            return null;
        }
    }

    public Alarm At(TimeSpan after, Action run)
    {
        var alarm = new Alarm { Run = run };
        _alarms.Enqueue(alarm, (Elapsed + Math.Max(0, after.Ticks), _order++));
        return alarm;
    }

    /// <summary>Runs everything due up to an instant, each at its own.</summary>
    public void MoveTo(long instant)
    {
        while (NextDue is { } due && due <= instant)
        {
            var alarm = _alarms.Dequeue();
            Elapsed = Math.Max(Elapsed, due);
            var run = alarm.Run!;
            alarm.Run = null;
            run();
        }

        Elapsed = Math.Max(Elapsed, instant);
    }

    /// <summary>Something due later, until it is struck.</summary>
    internal sealed class Alarm
    {
        public Action? Run { get; set; }

        public void Strike() => Run = null;
    }
}

/// <summary>
/// One server's clocks: the monotonic one is the world's, the wall clock may be off. When the server is killed its timers
/// are void; while it is frozen they wait.
/// </summary>
internal sealed class ServerTime(SimulatedTime world, Func<Action, bool> admit) : TimeProvider
{
    /// <summary>How far this server's wall clock is off.</summary>
    public TimeSpan Off { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => world.Elapsed;

    // Whole milliseconds, as the database keeps them.
    public override DateTimeOffset GetUtcNow()
    {
        var now = world.Now + Off;
        return new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer(this, callback, state, dueTime, period);

    private sealed class Timer : ITimer
    {
        private readonly ServerTime _time;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private SimulatedTime.Alarm? _alarm;

        public Timer(ServerTime time, TimerCallback callback, object? state, TimeSpan due, TimeSpan period)
        {
            (_time, _callback, _state) = (time, callback, state);
            Change(due, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _alarm?.Strike();
            _alarm = dueTime == Timeout.InfiniteTimeSpan ? null : _time.After(dueTime, () =>
            {
                if (period > TimeSpan.Zero)
                {
                    Change(period, period);
                }

                _callback(_state);
            });
            return true;
        }

        public void Dispose() => _alarm?.Strike();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private SimulatedTime.Alarm After(TimeSpan due, Action run) => world.At(due, () => admit(run));
}
