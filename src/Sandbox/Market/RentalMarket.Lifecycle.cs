namespace Dashboard.Sandbox.Market;

/// <content>How contracts go on: asked by the renter, reported by the host, or in the course of time.</content>
internal sealed partial class RentalMarket
{
    public StateChange Start(int id, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return StateChange.NoSuchInstance;
        }

        if (contract.Phase is ContractPhase.Provisioning or ContractPhase.Loading or ContractPhase.Starting or ContractPhase.Running)
        {
            return StateChange.Done;
        }

        if (now >= contract.EndsAt)
        {
            return StateChange.ContractEnded;
        }

        if (Credit(now) <= 0)
        {
            return StateChange.NoCredit;
        }

        contract.WantedRunning = true;
        contract.Phase = contract.HoldsGpus ? contract.Phase : ContractPhase.Queued;
        return TryStart(contract) ? StateChange.Done : StateChange.Queued;
    }

    public StateChange Stop(int id, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return StateChange.NoSuchInstance;
        }

        Halt(contract, now);
        return StateChange.Done;
    }

    /// <summary>Ends the contract for good. False when there is none of this id any more.</summary>
    public bool Destroy(int id, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        _asks.Relist(MachineOf(contract), SliceOf(contract));
        contract.GpuIntervals.Close(now);
        contract.DiskIntervals.Close(now);
        contract.Phase = ContractPhase.Destroyed;
        contract.WantedRunning = false;
        contract.DestroyedAt = now;
        _living.Remove(contract);
        _effects.Enqueue(new HostEffect.Destroy(id));
        Advance(now);
        return true;
    }

    /// <summary>The container runs: GPU billing begins.</summary>
    /// <returns>False when it is no longer wanted; whoever started it must end it.</returns>
    public bool ContainerStarted(int id, InstancePorts ports, DateTimeOffset now)
    {
        if (Find(id) is not { Phase: ContractPhase.Starting } contract)
        {
            return false;
        }

        contract.Phase = ContractPhase.Running;
        contract.HasRun = true;
        contract.Ports = ports;
        contract.ContainerStartedAt = now;
        contract.GpuIntervals.Add(new BilledInterval(now, null, contract.GpuPerHour));
        return true;
    }

    public void ContainerFailed(int id, string reason)
    {
        if (Find(id) is { Phase: ContractPhase.Starting } contract)
        {
            contract.Phase = ContractPhase.Broken;
            contract.Failure = reason;
        }
    }

    /// <summary>The container ended by itself.</summary>
    /// <returns>False when that was known, or wanted.</returns>
    public bool ContainerExited(int id, DateTimeOffset now)
    {
        if (Find(id) is not { Phase: ContractPhase.Running } contract)
        {
            return false;
        }

        contract.GpuIntervals.Close(now);
        contract.Phase = ContractPhase.Exited;
        return true;
    }

    /// <summary>The market was away since <see cref="MarketState.LastSeen"/>. Containers that did not survive it start again with their data, as after a host's reboot.</summary>
    public void Restore(Func<int, bool> survived, DateTimeOffset now)
    {
        foreach (var contract in Living)
        {
            if (contract.Phase == ContractPhase.Running && survived(contract.Id))
            {
                continue;
            }

            // A host that is off bills nothing.
            contract.GpuIntervals.CloseAt(state.LastSeen);
            contract.DiskIntervals.CloseAt(state.LastSeen);
            contract.DiskIntervals.Add(new BilledInterval(now, null, contract.DiskPerHour));
            if (contract.Phase is ContractPhase.Running or ContractPhase.Starting)
            {
                contract.Phase = ContractPhase.Starting;
                _effects.Enqueue(new HostEffect.Start(contract.Id));
            }
        }

        Advance(now);
    }

    /// <summary>Lets everything happen that is due at <paramref name="now"/>. Idempotent.</summary>
    public void Advance(DateTimeOffset now)
    {
        state.LastSeen = now > state.LastSeen ? now : state.LastSeen;
        var broke = Credit(now) <= 0;
        foreach (var contract in Living)
        {
            if (contract.WantedRunning && (broke || now >= contract.EndsAt))
            {
                Halt(contract, now);
            }

            if (contract.Phase == ContractPhase.Provisioning && now >= contract.ProvisionedAt)
            {
                contract.Phase = ContractPhase.Loading;
            }

            if (contract.Phase == ContractPhase.Loading && now >= contract.LoadedAt)
            {
                contract.Phase = ContractPhase.Starting;
                _effects.Enqueue(new HostEffect.Start(contract.Id));
            }

            if (contract.Phase == ContractPhase.Queued)
            {
                TryStart(contract);
            }

            InstallDueKeys(contract, now);
        }
    }

    private void Halt(Contract contract, DateTimeOffset now)
    {
        contract.WantedRunning = false;
        contract.GpuIntervals.Close(now);
        if (contract.Phase == ContractPhase.Stopped)
        {
            return;
        }

        if (contract.HoldsGpus)
        {
            _asks.Relist(MachineOf(contract), SliceOf(contract));
            _effects.Enqueue(new HostEffect.Stop(contract.Id));
        }

        contract.Phase = ContractPhase.Stopped;
    }

    private bool TryStart(Contract contract)
    {
        var gpus = SliceOf(contract).Gpus;
        if (Living.Any(other => other.Id != contract.Id && other.MachineIndex == contract.MachineIndex && other.HoldsGpus && (SliceOf(other).Gpus & gpus) != 0))
        {
            return false;
        }

        contract.Phase = ContractPhase.Starting;
        _effects.Enqueue(new HostEffect.Start(contract.Id));
        return true;
    }
}
