namespace Dashboard.Sandbox.Market;

/// <content>Faults of single instances. Those that last are part of the state and survive a restart.</content>
internal sealed partial class RentalMarket
{
    /// <summary>Lays a fault on an instance; laid twice, the second replaces the first.</summary>
    /// <param name="duration">See <see cref="ActiveFault"/>.</param>
    /// <returns>False when there is no such instance.</returns>
    public bool Inflict(int id, InstanceFault kind, TimeSpan? duration, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        Inflict(contract, new ActiveFault(kind, now, duration), now);
        Advance(now);
        return true;
    }

    /// <summary>Lays a fault on the next instance that is rented, from its first moment.</summary>
    public void InflictOnNext(InstanceFault kind, TimeSpan? duration) => state.FaultsOfNext.Add(new FaultOfNext(kind, duration));

    /// <summary>Ends a fault; without one nothing happens.</summary>
    /// <returns>False when there is no such instance.</returns>
    public bool Heal(int id, InstanceFault kind, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        Heal(contract, kind, now);
        Advance(now);
        return true;
    }

    /// <summary>Whether the instance's SSH ports are to be closed although its container runs.</summary>
    public static bool RefusesSsh(Contract contract) => contract.Has(InstanceFault.SshRefusing);

    /// <summary>From the start of the container until its SSH ports open.</summary>
    public TimeSpan SshDelay(Contract contract) => settings.SshDelay + (contract.FaultOf(InstanceFault.SshLate)?.Duration ?? TimeSpan.Zero);

    private void Inflict(Contract contract, ActiveFault fault, DateTimeOffset now)
    {
        var before = contract.Faults.RemoveAll(other => other.Kind == fault.Kind) > 0;
        switch (fault.Kind)
        {
            case InstanceFault.HostKeyChanged:
                _effects.Enqueue(new HostEffect.ChangeHostKey(contract.Id));
                return;
            case InstanceFault.SessionCut:
                _effects.Enqueue(new HostEffect.CutSessions(contract.Id));
                return;
            case InstanceFault.ContainerExits:
                if (ContainerExited(contract.Id, now))
                {
                    _effects.Enqueue(new HostEffect.Stop(contract.Id));
                }

                return;
            case InstanceFault.HostOffline when !before:
                contract.GpuIntervals.Close(now);
                contract.DiskIntervals.Close(now);
                contract.Phase = ContractPhase.Offline;
                _effects.Enqueue(new HostEffect.Stop(contract.Id));
                break;
            case InstanceFault.SshRefusing:
                _effects.Enqueue(new HostEffect.SetReach(contract.Id));
                break;
            case InstanceFault.HostOffline or InstanceFault.StuckLoading or InstanceFault.OciFailure or InstanceFault.SshLate or InstanceFault.NoHeartbeat
                or InstanceFault.DestroyLies or InstanceFault.DestroyLags or InstanceFault.DiskFull:
                break;
        }

        contract.Faults.Add(fault);
    }

    private void Heal(Contract contract, InstanceFault kind, DateTimeOffset now)
    {
        if (contract.Faults.RemoveAll(active => active.Kind == kind) == 0)
        {
            return;
        }

        if (kind == InstanceFault.SshRefusing)
        {
            _effects.Enqueue(new HostEffect.SetReach(contract.Id));
        }

        if (kind == InstanceFault.HostOffline)
        {
            contract.DiskIntervals.Add(new BilledInterval(now, null, contract.DiskPerHour));
            contract.Phase = contract.WantedRunning ? ContractPhase.Queued : ContractPhase.Stopped;
            _asks.Relist(MachineOf(contract), SliceOf(contract));
        }
    }

    private void EndDueFaults(Contract contract, DateTimeOffset now)
    {
        foreach (var due in contract.Faults.Where(fault => now >= fault.EndsAt).ToList())
        {
            Heal(contract, due.Kind, now);
        }
    }

    private void TakeFaultsOfNext(Contract contract, DateTimeOffset now)
    {
        foreach (var (kind, duration) in state.FaultsOfNext)
        {
            Inflict(contract, new ActiveFault(kind, now, duration), now);
        }

        state.FaultsOfNext.Clear();
    }
}
