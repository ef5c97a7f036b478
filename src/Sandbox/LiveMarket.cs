using Dashboard.Sandbox.Containers;
using Dashboard.Sandbox.Market;
using Dashboard.Sandbox.State;

namespace Dashboard.Sandbox;

/// <summary>The market core with a clock, a disk and containers: every change is on disk before it is answered, and its effects are carried out in order for each instance.</summary>
internal sealed partial class LiveMarket(RentalMarket market, ContainerFleet fleet, StateFile file, TimeProvider time, ILogger<LiveMarket> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SaveAtLeastEvery = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Task> _work = [];
    private readonly CancellationTokenSource _closing = new();
    private DateTimeOffset _saved;
    private Task _ticking = Task.CompletedTask;

    public ContainerFleet Fleet => fleet;

    public MarketSettings Settings => market.Settings;

    /// <summary>Takes up the state on disk: living containers are attached, the others started again, leftovers removed.</summary>
    public async Task OpenAsync(CancellationToken ct)
    {
        var living = market.Living.ToDictionary(contract => contract.Id);
        await fleet.SweepAsync(id => living.TryGetValue(id, out var contract) && contract.Phase == ContractPhase.Running, living.ContainsKey, ct);
        foreach (var contract in living.Values.Where(contract => contract.Ports is not null))
        {
            fleet.Reserve(contract.Id, contract.Ports!);
        }

        Change((core, now) =>
        {
            core.Restore(id => living[id].Ports is { } ports && fleet.TryAttach(id, ports), now);
            return true;
        });
        _ticking = TickAsync();
    }

    public T Read<T>(Func<RentalMarket, DateTimeOffset, T> question)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            market.Advance(now);
            return question(market, now);
        }
    }

    /// <summary>Makes a change and writes it down.</summary>
    public T Change<T>(Func<RentalMarket, DateTimeOffset, T> change)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            market.Advance(now);
            var answer = change(market, now);
            Save(now);
            Dispatch();
            return answer;
        }
    }

    /// <summary>Ends all containers, as a host that shuts down; the state says they are to run, so the next start brings them back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
        {
            return;
        }

        await _closing.CancelAsync();
        await _ticking;
        Task[] unfinished;
        lock (_gate)
        {
            unfinished = [.. _work.Values];
        }

        await Task.WhenAll(unfinished);
        await fleet.DisposeAsync();
        lock (_gate)
        {
            CountTraffic(time.GetUtcNow());
            market.Advance(time.GetUtcNow());
            Save(time.GetUtcNow());
        }
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                lock (_gate)
                {
                    var now = time.GetUtcNow();
                    market.Advance(now);
                    CountTraffic(now);
                    foreach (var id in fleet.Ended().Where(id => market.ContainerExited(id, now)))
                    {
                        Queue(id, () => fleet.StopAsync(id)); // closes its ports
                    }

                    if (Dispatch() || now - _saved >= SaveAtLeastEvery)
                    {
                        Save(now);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
        }
    }

    private void CountTraffic(DateTimeOffset now)
    {
        foreach (var (id, up, down) in fleet.TakeTraffic())
        {
            market.CountTraffic(id, up, down, now);
        }
    }

    private void Save(DateTimeOffset now)
    {
        file.Write(market.State);
        _saved = now;
    }

    private bool Dispatch()
    {
        var effects = market.TakeEffects();
        foreach (var effect in effects)
        {
            Queue(effect.ContractId, () => CarryOutAsync(effect));
        }

        return effects.Count > 0;
    }

    private void Queue(int id, Func<Task> work)
    {
        var before = _work.GetValueOrDefault(id, Task.CompletedTask);
        var after = Task.Run(async () =>
        {
            await before;
            try
            {
                await work();
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                HostFailed(error, id);
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
            }
        });
        _work[id] = after;
    }

    private async Task CarryOutAsync(HostEffect effect)
    {
        switch (effect)
        {
            case HostEffect.Start start:
                await StartAsync(start);
                break;
            case HostEffect.Stop:
                await fleet.StopAsync(effect.ContractId);
                break;
            case HostEffect.Destroy:
                await fleet.DestroyAsync(effect.ContractId, CancellationToken.None);
                break;
            case HostEffect.SetReach:
                await fleet.SetReachAsync(effect.ContractId, Read((core, _) => core.Find(effect.ContractId) is { } contract && !RentalMarket.RefusesSsh(contract)));
                break;
            case HostEffect.CutSessions:
                await fleet.CutSessionsAsync(effect.ContractId);
                break;
            case HostEffect.ChangeHostKey:
                await fleet.ChangeHostKeyAsync(effect.ContractId, _closing.Token);
                break;
            case HostEffect.InstallKeys:
                if (Read((core, _) => core.Find(effect.ContractId) is { } contract ? RentalMarket.InstalledKeys(contract) : null) is { } keys)
                {
                    fleet.WriteKeys(effect.ContractId, keys);
                }

                break;
            default:
                throw new InvalidOperationException($"Nobody carries out {effect}.");
        }
    }

    private async Task StartAsync(HostEffect.Start start)
    {
        var id = start.ContractId;
        var ports = fleet.PortsFor(id);
        if (start.Afresh)
        {
            await fleet.WipeAsync(id, _closing.Token);
        }

        var (spec, sshDelay) = Read((core, _) => core.Find(id) is { } contract && contract.Launches == start.Launch
            ? (ContainerSpec.Of(contract, core.SliceOf(contract).GpuCount, ports.Direct), RentalMarket.RefusesSsh(contract) ? null : (TimeSpan?)core.SshDelay(contract))
            : default);
        if (spec is null)
        {
            return; // destroyed, or to be started once more
        }

        try
        {
            await fleet.StartAsync(spec, ports, sshDelay, _closing.Token);
        }
        catch (IOException error)
        {
            HostFailed(error, id);
            Change((core, _) =>
            {
                core.ContainerFailed(id, error.Message);
                return true;
            });
            return;
        }

        if (!Change((core, now) => core.ContainerStarted(id, start.Launch, ports, now)))
        {
            await fleet.StopAsync(id); // stopped or destroyed in the meantime
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "The container of instance {Id} could not be served")]
    private partial void HostFailed(Exception error, int id);
}
