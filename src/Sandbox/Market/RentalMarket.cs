using System.Security.Cryptography;

namespace Dashboard.Sandbox.Market;

/// <summary>
/// The market itself: offers, one renter's account, contracts and their bill. No clock, network or process inside: every call is told
/// the time, and what must happen to containers comes out of <see cref="TakeEffects"/>. Not thread-safe.
/// </summary>
internal sealed class RentalMarket(MarketSettings settings, MachinePark park, MarketState state)
{
    private const int FirstAskId = 30_000_000;
    private const int AskIdsPerGeneration = 4096;
    private const int SlicesPerMachine = 16;

    private readonly Demand _demand = new(park.Dice);
    private readonly Queue<HostEffect> _effects = new();
    private readonly List<Contract> _living = [.. state.Contracts.Where(contract => contract.IsLiving)];
    private readonly Dictionary<int, decimal> _closedBills = [];
    private readonly Dictionary<int, Contract> _byId = state.Contracts.ToDictionary(contract => contract.Id);

    public MarketSettings Settings => settings;

    public MachinePark Park => park;

    public MarketState State => state;

    /// <summary>The walk that prices and rivals follow, for figures about other times than now.</summary>
    public Demand Demand => _demand;

    public IReadOnlyList<Contract> Living => _living;

    public Machine MachineOf(Contract contract) => park.Machines[contract.MachineIndex];

    public Slice SliceOf(Contract contract) => MachineOf(contract).Slices[contract.SliceIndex];

    /// <summary>Every slice of every machine, those that cannot be rented now included.</summary>
    public IEnumerable<Offer> Offers(OfferKind kind, decimal diskGb, DateTimeOffset now)
    {
        foreach (var machine in park.Machines)
        {
            var ours = Living.Where(contract => contract.MachineIndex == machine.Index).ToList();
            var taken = GpusTaken(machine, ours, now);
            var perGpu = _demand.PricePerGpu(machine, now);
            var epoch = _demand.Epoch(machine, now);
            foreach (var slice in machine.Slices)
            {
                var price = perGpu * slice.GpuCount;
                var floor = Math.Round(price * machine.BidShare, 4, MidpointRounding.ToEven);
                yield return new Offer
                {
                    AskId = AskId(machine, slice, epoch),
                    Machine = machine,
                    Slice = slice,
                    Kind = kind,
                    GpuPerHour = kind == OfferKind.Bid ? floor : price,
                    MinBid = floor,
                    DiskGb = diskGb,
                    Rentable = (taken & slice.Gpus) == 0,
                    RentedByCaller = ours.Count > 0,
                    EndsAt = EndOfListing(machine, now),
                };
            }
        }
    }

    public RentResult Rent(int askId, RentRequest request, DateTimeOffset now)
    {
        NoteRentCall(request.Label);
        var offer = Offers(OfferKind.OnDemand, request.DiskGb, now).FirstOrDefault(offer => offer.AskId == askId);
        if (offer is null)
        {
            return WasListed(askId, now) ? new RentResult.Gone() : new RentResult.NeverListed();
        }

        if (!offer.Rentable)
        {
            return new RentResult.Gone();
        }

        if (_living.Count >= settings.MaxInstances)
        {
            return new RentResult.Gone(FormattableString.Invariant($"This sandbox holds at most {settings.MaxInstances} instances; destroy one first."));
        }

        if (Credit(now, request.AccountId) <= 0)
        {
            return new RentResult.NoCredit();
        }

        if (request.DiskGb > (decimal)offer.MaxDiskGb)
        {
            return new RentResult.DiskTooLarge(offer.MaxDiskGb);
        }

        if (request.Bid < offer.MinBid)
        {
            return new RentResult.BidTooLow(offer.MinBid);
        }

        var contract = Sign(offer, request, now);
        state.Contracts.Add(contract);
        _byId.Add(contract.Id, contract);
        _living.Add(contract);
        Advance(now);
        return new RentResult.Rented(contract);
    }

    /// <summary>For the truth about rent calls: those refused before they reach <see cref="Rent"/> count too.</summary>
    public void NoteRentCall(string? label) => state.RentCalls[label ?? ""] = state.RentCalls.GetValueOrDefault(label ?? "") + 1;

    public Contract? Find(int id) => _byId.TryGetValue(id, out var contract) && contract.IsLiving ? contract : null;

    /// <summary>Finds by its per-instance key, destroyed ones included: a key stays known after its instance is gone.</summary>
    public Contract? FindByKey(string key) => state.Contracts.FirstOrDefault(contract => contract.InstanceKey == key);

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

        if (Credit(now, contract.AccountId) <= 0)
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

    public bool SetLabel(int id, string? label)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        contract.Label = label;
        return true;
    }

    /// <summary>Ends the contract for good. False when there is none of this id any more.</summary>
    public bool Destroy(int id, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        Relist(contract);
        Close(contract.GpuIntervals, now);
        Close(contract.DiskIntervals, now);
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

        Close(contract.GpuIntervals, now);
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
            CloseAt(contract.GpuIntervals, state.LastSeen);
            CloseAt(contract.DiskIntervals, state.LastSeen);
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
        var broke = Living.Select(contract => contract.AccountId).Distinct().Where(account => Credit(now, account) <= 0).ToHashSet();
        foreach (var contract in Living)
        {
            if (contract.WantedRunning && (broke.Contains(contract.AccountId) || now >= contract.EndsAt))
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

    /// <summary>What has to be done to containers since the last time this was asked.</summary>
    public IReadOnlyList<HostEffect> TakeEffects()
    {
        var taken = _effects.ToList();
        _effects.Clear();
        return taken;
    }

    public Bill BillOf(Contract contract, DateTimeOffset now) => Bill.Of(contract, DateTimeOffset.MinValue, now, settings.BillingFactor);

    /// <summary>USD an account has left to spend; falls by the second.</summary>
    public decimal Credit(DateTimeOffset now, int accountId = MarketState.FirstAccount) => Granted(accountId) - Spent(accountId, now);

    /// <summary>USD an account was ever given.</summary>
    public decimal Granted(int accountId) =>
        (accountId == MarketState.FirstAccount ? state.InitialCredit : 0) + state.TopUps.Where(topUp => topUp.AccountId == accountId).Sum(topUp => topUp.Amount);

    public TopUp AddCredit(int accountId, decimal amount, DateTimeOffset now)
    {
        var topUp = new TopUp(state.TopUps.Count + 1, accountId, amount, now);
        state.TopUps.Add(topUp);
        return topUp;
    }

    private decimal Spent(int accountId, DateTimeOffset now)
    {
        var spent = 0m;
        foreach (var contract in state.Contracts.Where(contract => contract.AccountId == accountId))
        {
            if (!_closedBills.TryGetValue(contract.Id, out var total))
            {
                total = BillOf(contract, now).Total;
                if (!contract.IsLiving)
                {
                    _closedBills[contract.Id] = total; // the books of years must not be added up ten times a second
                }
            }

            spent += total;
        }

        return spent;
    }

    public void CountTraffic(int id, long upBytes, long downBytes, DateTimeOffset now)
    {
        if (!_byId.TryGetValue(id, out var contract))
        {
            return;
        }

        _closedBills.Remove(id);
        var hour = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        var last = contract.Traffic.Count - 1;
        if (last >= 0 && contract.Traffic[last].Hour == hour)
        {
            contract.Traffic[last] = new TrafficHour(hour, contract.Traffic[last].UpBytes + upBytes, contract.Traffic[last].DownBytes + downBytes);
        }
        else
        {
            contract.Traffic.Add(new TrafficHour(hour, upBytes, downBytes));
        }
    }

    public AccountKey AddAccountKey(string publicKey, DateTimeOffset now, int accountId = MarketState.FirstAccount)
    {
        var key = new AccountKey(state.NextKeyId++, publicKey, now, accountId);
        state.AccountKeys.Add(key);
        return key;
    }

    public AccountKey? ReplaceAccountKey(int keyId, string publicKey, int accountId = MarketState.FirstAccount)
    {
        var index = state.AccountKeys.FindIndex(key => key.Id == keyId && key.AccountId == accountId);
        return index < 0 ? null : state.AccountKeys[index] = state.AccountKeys[index] with { PublicKey = publicKey };
    }

    public AccountKey? RemoveAccountKey(int keyId, int accountId = MarketState.FirstAccount)
    {
        var key = state.AccountKeys.Find(key => key.Id == keyId && key.AccountId == accountId);
        return key is not null && state.AccountKeys.Remove(key) ? key : null;
    }

    /// <summary>The key lets its owner in a little later. Attaching the same key again changes nothing.</summary>
    public AttachedKey? AttachKey(int id, string publicKey, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return null;
        }

        var known = contract.AttachedKeys.Find(key => key.PublicKey == publicKey);
        if (known is null)
        {
            known = new AttachedKey(state.NextKeyId++, publicKey, now, Installed: false);
            contract.AttachedKeys.Add(known);
            InstallDueKeys(contract, now);
        }

        return known;
    }

    /// <summary>False when the instance has no such key.</summary>
    public bool DetachKey(Contract contract, int keyId)
    {
        var removed = contract.AttachedKeys.RemoveAll(key => key.Id == keyId) > 0;
        if (removed)
        {
            _effects.Enqueue(new HostEffect.InstallKeys(contract.Id));
        }

        return removed;
    }

    /// <summary>The public keys that the instance's sshd takes.</summary>
    public static IReadOnlyList<string> InstalledKeys(Contract contract) =>
        [.. contract.AccountKeys, .. contract.AttachedKeys.Where(key => key.Installed).Select(key => key.PublicKey)];

    private static void Close(List<BilledInterval> intervals, DateTimeOffset now)
    {
        if (intervals.Count > 0 && intervals[^1].End is null)
        {
            intervals[^1] = intervals[^1] with { End = now };
        }
    }

    // An interval may have begun after the moment at which the market was last seen: then it lasted no time.
    private static void CloseAt(List<BilledInterval> intervals, DateTimeOffset seen)
    {
        if (intervals.Count > 0)
        {
            Close(intervals, intervals[^1].Start > seen ? intervals[^1].Start : seen);
        }
    }

    private static DateTimeOffset EndOfListing(Machine machine, DateTimeOffset now)
    {
        var periods = Math.Floor((now - machine.ListedSince) / machine.Commitment) + 1;
        return machine.ListedSince + (periods * machine.Commitment) + TimeSpan.FromDays(3); // never a contract of minutes
    }

    private Contract Sign(Offer offer, RentRequest request, DateTimeOffset now)
    {
        var id = state.NextContractId++;
        var boot = settings.Boot * park.Dice.Between(0.8, 1.2, "boot", id);
        var contract = new Contract
        {
            Id = id,
            AccountId = request.AccountId,
            AskId = offer.AskId,
            MachineIndex = offer.Machine.Index,
            SliceIndex = offer.Slice.Index,
            Label = request.Label,
            Image = request.Image,
            RunType = request.RunType,
            OnStart = request.OnStart,
            Environment = request.Environment,
            DiskGb = request.DiskGb,
            GpuPerHour = request.Bid ?? offer.GpuPerHour,
            StorageCost = offer.Machine.StorageCost,
            UploadCost = offer.Machine.UploadCost,
            DownloadCost = offer.Machine.DownloadCost,
            MinBid = offer.MinBid,
            IsBid = request.Bid is not null,
            InstanceKey = RandomNumberGenerator.GetHexString(64, lowercase: true),
            JupyterToken = RandomNumberGenerator.GetHexString(64, lowercase: true),
            CreatedAt = now,
            EndsAt = offer.EndsAt,
            ProvisionedAt = now + (boot * 0.2),
            LoadedAt = now + boot,
            Phase = request.StartRunning ? ContractPhase.Provisioning : ContractPhase.Stopped,
            WantedRunning = request.StartRunning,
            AccountKeys = [.. state.AccountKeys.Where(key => key.AccountId == request.AccountId).Select(key => key.PublicKey)],
        };
        contract.DiskIntervals.Add(new BilledInterval(now, null, contract.DiskPerHour));
        return contract;
    }

    private void Halt(Contract contract, DateTimeOffset now)
    {
        contract.WantedRunning = false;
        Close(contract.GpuIntervals, now);
        if (contract.Phase == ContractPhase.Stopped)
        {
            return;
        }

        if (contract.HoldsGpus)
        {
            Relist(contract);
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

    private void InstallDueKeys(Contract contract, DateTimeOffset now)
    {
        for (var index = 0; index < contract.AttachedKeys.Count; index++)
        {
            if (!contract.AttachedKeys[index].Installed && now >= contract.AttachedKeys[index].AttachedAt + settings.KeyDelay)
            {
                contract.AttachedKeys[index] = contract.AttachedKeys[index] with { Installed = true };
                _effects.Enqueue(new HostEffect.InstallKeys(contract.Id));
            }
        }
    }

    private uint GpusTaken(Machine machine, List<Contract> ours, DateTimeOffset now)
    {
        // Rivals keep off a machine on which the account holds a contract, so that a stopped instance can come back.
        return ours.Count == 0
            ? _demand.RentedByOthers(machine, now)
            : ours.Where(contract => contract.HoldsGpus).Aggregate(0u, (gpus, contract) => gpus | SliceOf(contract).Gpus);
    }

    // Generations only grow, by the rivals' epoch and by our own rentals, so no listing repeats the id of an earlier one.
    private int AskId(Machine machine, Slice slice, long epoch)
    {
        var number = SliceNumber(machine, slice);
        return checked(FirstAskId + (int)((epoch + state.Relistings.GetValueOrDefault(number)) * AskIdsPerGeneration) + number);
    }

    private bool WasListed(int askId, DateTimeOffset now)
    {
        var number = (((askId - FirstAskId) % AskIdsPerGeneration) + AskIdsPerGeneration) % AskIdsPerGeneration;
        var (machineIndex, sliceIndex) = (number / SlicesPerMachine, number % SlicesPerMachine);
        if (machineIndex >= park.Machines.Count || sliceIndex >= park.Machines[machineIndex].Slices.Count)
        {
            return false;
        }

        var machine = park.Machines[machineIndex];
        return askId >= FirstAskId && askId < AskId(machine, machine.Slices[sliceIndex], _demand.Epoch(machine, now));
    }

    private void Relist(Contract contract)
    {
        var machine = MachineOf(contract);
        var gpus = SliceOf(contract).Gpus;
        foreach (var number in machine.Slices.Where(slice => (slice.Gpus & gpus) != 0).Select(slice => SliceNumber(machine, slice)))
        {
            state.Relistings[number] = state.Relistings.GetValueOrDefault(number) + 1;
        }
    }

    private static int SliceNumber(Machine machine, Slice slice) => (machine.Index * SlicesPerMachine) + slice.Index;
}
