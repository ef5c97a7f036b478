using System.Security.Cryptography;

namespace Dashboard.Sandbox.Market;

/// <summary>
/// The market itself: offers, one renter's account, contracts and their bill. No clock, network or process inside: every call is told
/// the time, and what must happen to containers comes out of <see cref="TakeEffects"/>. Not thread-safe.
/// </summary>
internal sealed partial class RentalMarket(MarketSettings settings, MachinePark park, MarketState state)
{
    private readonly Demand _demand = new(park.Dice);
    private readonly Queue<HostEffect> _effects = new();
    private readonly List<Contract> _living = [.. state.Contracts.Where(contract => contract.IsLiving)];
    private readonly AskNumbers _asks = new(park, state);
    private readonly Books _books = new(settings, state);
    private readonly Dictionary<int, Contract> _byId = state.Contracts.ToDictionary(contract => contract.Id);

    public MarketSettings Settings => settings;

    public MachinePark Park => park;

    public MarketState State => state;

    /// <summary>The walk that prices and rivals follow, in the market's time; see <see cref="MarketState.Pace"/>.</summary>
    public Demand Demand => _demand;

    public IReadOnlyList<Contract> Living => _living;

    public Machine MachineOf(Contract contract) => park.Machines[contract.MachineIndex];

    public Slice SliceOf(Contract contract) => MachineOf(contract).Slices[contract.SliceIndex];

    public RentResult Rent(int askId, RentRequest request, DateTimeOffset now)
    {
        NoteRentCall(request.Label);
        var offer = FindOffer(askId, now);
        if (offer is null)
        {
            return _asks.WasListed(askId, machine => Epoch(machine, now)) ? new RentResult.Gone() : new RentResult.NeverListed();
        }

        if (InterventionOn(offer.Machine).HostsOwn)
        {
            return new RentResult.NotYours();
        }

        if (!offer.Rentable)
        {
            return Living.Any(contract => contract.AskId == askId) ? new RentResult.Gone() : new RentResult.Taken();
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

        if (request is { VirtualMachine: true } && !state.AccountKeys.Exists(key => key.AccountId == request.AccountId))
        {
            return new RentResult.NoKeyForVirtualMachine();
        }

        var hourly = (request.Bid ?? offer.GpuPerHour) + Offer.DiskRate(request.DiskGb, offer.Machine.StorageCost);
        if ((state.SpendLimitPerHour ?? settings.SpendLimitPerHour) is { } limit && HourlySpend(request.AccountId) + hourly > limit)
        {
            return new RentResult.SpendLimit(limit);
        }

        return Sign(offer, request, now);
    }

    /// <summary>USD per hour that an account's instances cost while they run or wait to.</summary>
    private decimal HourlySpend(int accountId) => Living.Where(contract => contract.AccountId == accountId).Sum(contract => contract.DiskPerHour + (contract.WantedRunning ? contract.GpuPerHour : 0));

    private RentResult Sign(Offer offer, RentRequest request, DateTimeOffset now)
    {
        var standing = Standing(request.Bid is not null, request.Bid ?? offer.GpuPerHour, offer.Slice);
        var wins = !request.StartRunning
            || (WinsAgainstRivals(offer.Machine, offer.Slice, standing, now) && HoldersOf(offer.Machine, offer.Slice).All(holder => Standing(holder) < standing));
        if (!wins && request.CancelUnavailable)
        {
            return new RentResult.Outbid(Leftover: null);
        }

        var contract = Draft(offer, wins ? request : request with { StartRunning = false }, now);
        if (contract.WantedRunning)
        {
            GiveWay(contract, now);
        }

        state.Contracts.Add(contract);
        _byId.Add(contract.Id, contract);
        _living.Add(contract);
        TakeFaultsOfNext(contract, now);
        Advance(now);
        return wins ? new RentResult.Rented(contract) : new RentResult.Outbid(contract);
    }

    /// <summary>For the truth about rent calls: those refused before they reach <see cref="Rent"/> count too.</summary>
    public void NoteRentCall(string? label) => state.RentCalls[label ?? ""] = state.RentCalls.GetValueOrDefault(label ?? "") + 1;

    public Contract? Find(int id) => _byId.TryGetValue(id, out var contract) && contract.IsLiving ? contract : null;

    /// <summary>Finds by its per-instance key, destroyed ones included: a key stays known after its instance is gone.</summary>
    public Contract? FindByKey(string key) => state.Contracts.FirstOrDefault(contract => contract.InstanceKey == key);

    public bool SetLabel(int id, string? label)
    {
        if (Find(id) is not { } contract)
        {
            return false;
        }

        contract.Label = label;
        return true;
    }

    /// <summary>What has to be done to containers since the last time this was asked.</summary>
    public IReadOnlyList<HostEffect> TakeEffects()
    {
        var taken = _effects.ToList();
        _effects.Clear();
        return taken;
    }

    public Bill BillOf(Contract contract, DateTimeOffset now) => _books.BillOf(contract, now);

    /// <summary>USD an account has left to spend; falls by the second.</summary>
    public decimal Credit(DateTimeOffset now, int accountId = MarketState.FirstAccount) => _books.Credit(now, accountId);

    /// <summary>USD an account was ever given.</summary>
    public decimal Granted(int accountId) => _books.Granted(accountId);

    /// <summary>Gives an account money; a negative amount takes it away.</summary>
    public TopUp AddCredit(int accountId, decimal amount, DateTimeOffset now)
    {
        var topUp = new TopUp(state.TopUps.Count + 1, accountId, amount, now);
        state.TopUps.Add(topUp);
        Advance(now);
        return topUp;
    }

    public void CountTraffic(int id, long upBytes, long downBytes, DateTimeOffset now)
    {
        if (_byId.TryGetValue(id, out var contract))
        {
            _books.CountTraffic(contract, upBytes, downBytes, now);
        }
    }

    private Contract Draft(Offer offer, RentRequest request, DateTimeOffset now)
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
}
