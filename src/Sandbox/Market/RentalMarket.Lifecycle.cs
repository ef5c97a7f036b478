namespace Dashboard.Sandbox.Market;

/// <content>How contracts go on: as the renter asks, as the host reports, and in the course of time.</content>
internal sealed partial class RentalMarket
{
    public StateChange Start(int id, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return StateChange.NoSuchInstance;
        }

        if (contract.Phase is ContractPhase.Provisioning or ContractPhase.Loading or ContractPhase.Running || contract.AwaitsContainer)
        {
            return StateChange.Done;
        }

        if (now >= contract.EndsAt)
        {
            return StateChange.ContractEnded;
        }

        if (Credit(now, contract.AccountId) <= 0)
        {
            return StateChange.NoCredit;
        }

        contract.WantedRunning = true;
        if (contract.Phase == ContractPhase.Offline)
        {
            return StateChange.Queued;
        }

        contract.Phase = contract.HoldsGpus ? contract.Phase : ContractPhase.Queued;
        return TryStart(contract, now) ? StateChange.Done : StateChange.Queued;
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

    /// <summary>Ends what runs and starts it again, without losing the GPUs.</summary>
    public StateChange Reboot(int id, DateTimeOffset now) => Renew(id, ContractPhase.Rebooting, now);

    /// <summary>Makes the container anew from its image, without losing the GPUs; its data is lost.</summary>
    public StateChange Recycle(int id, DateTimeOffset now) => Renew(id, ContractPhase.Recycling, now);

    /// <summary>Ends the contract for good, unless a fault says otherwise. False when there is none of this id any more.</summary>
    public bool Destroy(int id, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        if (contract.Has(InstanceFault.DestroyLies))
        {
            return true;
        }

        if (contract.FaultOf(InstanceFault.DestroyLags)?.Duration is { } lag)
        {
            contract.DestroyDueAt ??= now + lag;
            return true;
        }

        End(contract, now);
        Advance(now);
        return true;
    }

    /// <summary>The container runs: GPU billing begins.</summary>
    /// <param name="launch">The start that is reported, see <see cref="HostEffect.Start"/>.</param>
    /// <returns>False when it is no longer wanted; whoever started it must end it.</returns>
    public bool ContainerStarted(int id, int launch, InstancePorts ports, DateTimeOffset now)
    {
        if (Find(id) is not { AwaitsContainer: true } contract || contract.Launches != launch)
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
        if (Find(id) is { AwaitsContainer: true } contract)
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
        if (settings.Speed is { } speed)
        {
            SetSpeed(speed, now);
        }

        foreach (var contract in Living.Where(contract => contract.Phase != ContractPhase.Offline)) // its intervals are closed already
        {
            if (contract.Phase == ContractPhase.Running && survived(contract.Id))
            {
                _effects.Enqueue(new HostEffect.SetReach(contract.Id));
                continue;
            }

            // A host that is off bills nothing.
            contract.GpuIntervals.CloseAt(state.LastSeen);
            contract.DiskIntervals.CloseAt(state.LastSeen);
            contract.DiskIntervals.Add(new BilledInterval(now, null, contract.DiskPerHour));
            if (contract.Phase == ContractPhase.Running || contract.AwaitsContainer)
            {
                Launch(contract, contract.Phase == ContractPhase.Recycling ? ContractPhase.Recycling : ContractPhase.Starting);
            }
        }

        Advance(now);
    }

    /// <summary>Lets everything happen that is due at <paramref name="now"/>. Idempotent.</summary>
    public void Advance(DateTimeOffset now)
    {
        state.LastSeen = now > state.LastSeen ? now : state.LastSeen;
        NoteCredit(now);
        foreach (var contract in Living.ToList())
        {
            EndDueFaults(contract, now);
            if (IsToBeDeleted(contract, now))
            {
                End(contract, now);
                continue;
            }

            if (contract.WantedRunning && (state.BrokeAt.ContainsKey(contract.AccountId) || now >= contract.EndsAt))
            {
                Halt(contract, now);
            }

            if (contract.Phase == ContractPhase.Provisioning && now >= contract.ProvisionedAt)
            {
                contract.Phase = ContractPhase.Loading;
            }

            if (contract.Phase == ContractPhase.Loading && now >= contract.LoadedAt && !contract.Has(InstanceFault.StuckLoading))
            {
                Launch(contract);
            }

            if (contract.IsBid && contract.HoldsGpus && contract.Phase != ContractPhase.Offline && !Wins(contract, now))
            {
                Pause(contract, now);
            }

            if (contract.Phase is ContractPhase.Queued or ContractPhase.Outbid)
            {
                TryStart(contract, now);
            }

            InstallDueKeys(contract, now);
        }
    }

    /// <summary>Lets the market's time run at another pace from now on; contracts keep their length in it.</summary>
    public void SetSpeed(double factor, DateTimeOffset now)
    {
        var before = state.Pace;
        state.Pace = before.WithFactor(factor, now);
        foreach (var contract in Living)
        {
            contract.EndsAt = state.Pace.RealOf(before.At(contract.EndsAt));
        }
    }

    private StateChange Renew(int id, ContractPhase phase, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return StateChange.NoSuchInstance;
        }

        if (contract.Phase is not (ContractPhase.Running or ContractPhase.Exited))
        {
            return StateChange.NotRunning;
        }

        contract.GpuIntervals.Close(now);
        Launch(contract, phase);
        return StateChange.Done;
    }

    private void Launch(Contract contract, ContractPhase phase = ContractPhase.Starting)
    {
        if (contract.Has(InstanceFault.OciFailure))
        {
            contract.Phase = ContractPhase.Broken;
            contract.Failure = "unable to start container process: error during container init: unknown device";
            return;
        }

        contract.Phase = phase;
        _effects.Enqueue(new HostEffect.Start(contract.Id, ++contract.Launches, Afresh: phase == ContractPhase.Recycling));
    }

    private void Halt(Contract contract, DateTimeOffset now)
    {
        contract.WantedRunning = false;
        contract.GpuIntervals.Close(now);
        if (contract.Phase is ContractPhase.Stopped or ContractPhase.Offline)
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

    private void End(Contract contract, DateTimeOffset now)
    {
        _asks.Relist(MachineOf(contract), SliceOf(contract));
        contract.GpuIntervals.Close(now);
        contract.DiskIntervals.Close(now);
        contract.Phase = ContractPhase.Destroyed;
        contract.WantedRunning = false;
        contract.DestroyedAt = now;
        _living.Remove(contract);
        _effects.Enqueue(new HostEffect.Destroy(contract.Id));
    }

    private void NoteCredit(DateTimeOffset now)
    {
        foreach (var account in Living.Select(contract => contract.AccountId).Union(state.BrokeAt.Keys).ToList())
        {
            if (Credit(now, account) > 0)
            {
                state.BrokeAt.Remove(account);
            }
            else
            {
                state.BrokeAt.TryAdd(account, state.Pace.At(now));
            }
        }
    }

    private bool IsToBeDeleted(Contract contract, DateTimeOffset now) =>
        now >= contract.DestroyDueAt
        || state.Pace.At(now) >= state.Pace.At(contract.EndsAt) + settings.GraceAfterEnd
        || (state.BrokeAt.TryGetValue(contract.AccountId, out var brokeAt) && state.Pace.At(now) >= brokeAt + settings.GraceAfterCredit);
}
