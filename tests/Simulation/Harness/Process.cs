namespace Dashboard.Simulation.Harness;

internal enum Life
{
    Up,

    /// <summary>Stopped in the middle of everything, as by SIGSTOP or a paused virtual machine; goes on later as if nothing had been.</summary>
    Frozen,

    /// <summary>Killed: nothing it still wanted to do happens.</summary>
    Dead,
}

/// <summary>One process of whoever rents: up, frozen or dead, with clocks of its own.</summary>
internal abstract class Process
{
    private readonly Queue<Action> _held = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();

    protected Process(World world, string name)
    {
        Name = name;
        Time = new ServerTime(world.Time, Admit) { Off = world.WallClockOff };
    }

    public string Name { get; }

    public Life Life { get; private set; }

    public ServerTime Time { get; }

    /// <summary>Passes while it is up, waits while it is frozen, and never returns once it is dead.</summary>
    public Task UpAsync()
    {
        if (Life != Life.Frozen)
        {
            return Life == Life.Up ? Task.CompletedTask : Never.Happens;
        }

        var thaw = new TaskCompletionSource();
        _waiting.Enqueue(thaw);
        return thaw.Task;
    }

    /// <summary>Lets simulated time pass. Whoever is cancelled goes on at once and on this thread, unlike after <see cref="Task.Delay(TimeSpan, TimeProvider, CancellationToken)"/>.</summary>
    public async Task PauseAsync(TimeSpan time, CancellationToken ct)
    {
        var passed = new TaskCompletionSource();
        using var alarm = Time.CreateTimer(_ => passed.TrySetResult(), null, time, Timeout.InfiniteTimeSpan);
        await using var cancelled = ct.UnsafeRegister(_ => passed.TrySetCanceled(ct), null);
        await passed.Task;
        await UpAsync();
    }

    /// <summary>Does what is due at this instant.</summary>
    public virtual void Turn()
    {
    }

    public virtual void Kill()
    {
        if (Life != Life.Dead)
        {
            Life = Life.Dead;
            Close();
        }
    }

    public void Freeze() => Life = Life.Frozen;

    public virtual void Thaw()
    {
        if (Life != Life.Frozen)
        {
            return;
        }

        // Answers that lie in its sockets first: the harsher order, since a timer could tell it that it was overtaken.
        Life = Life.Up;
        while (Life == Life.Up && _waiting.TryDequeue(out var waiting))
        {
            waiting.SetResult();
        }

        while (Life == Life.Up && _held.TryDequeue(out var due))
        {
            due();
        }
    }

    /// <summary>Lets go of what a process holds.</summary>
    public virtual void Close()
    {
    }

    private bool Admit(Action due)
    {
        if (Life == Life.Up)
        {
            due();
        }
        else if (Life == Life.Frozen)
        {
            _held.Enqueue(due);
        }

        return Life == Life.Up;
    }
}
