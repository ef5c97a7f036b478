using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Budgets;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Options;

namespace Dashboard.Web.Features.Jobs;

/// <summary>One page from an idea to a rented machine. Every default is usable: a preset and Start are two clicks.</summary>
public sealed partial class NewJobPage
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(300); // after the last key, before a provider is asked

    private readonly CancellationTokenSource _leaving = new();
    private readonly string _key = Guid.NewGuid().ToString("N"); // one submission, however often Start is pressed
    private JobDraft _draft = new();
    private NewJobChoices? _choices;
    private OfferQuotes? _quotes;
    private IReadOnlyList<FieldProblem> _problems = [];
    private CancellationTokenSource? _asking;
    private object? _askedFor;
    private int? _cloned;
    private bool _computing;
    private bool _starting;
    private string? _note;
    private string? _said;
    private SubmitResult.OverBudget? _over;

    /// <summary>How the offer of the address is rented; <c>bid</c> or on demand.</summary>
    [SupplyParameterFromQuery(Name = "type")] private string? TypeAsked { get; set; }

    [CascadingParameter] public TeamContext Team { get; set; } = null!;

    [Inject] private IOptions<BudgetOptions> Holds { get; set; } = null!;

    [SupplyParameterFromQuery(Name = "preset")] private string? PresetAsked { get; set; }

    [SupplyParameterFromQuery(Name = "clone")] private int? CloneAsked { get; set; }

    /// <summary>A job of this person that awaits approval, to be withdrawn for the one of this form.</summary>
    [SupplyParameterFromQuery(Name = "change")] private int? ChangeAsked { get; set; }

    [SupplyParameterFromQuery(Name = "offer")] private string? OfferAsked { get; set; }

    /// <summary>Whose offer it is: offer ids are the provider's own.</summary>
    [SupplyParameterFromQuery(Name = "connection")] private string? ConnectionAsked { get; set; }

    private ConnectionChoice? Connection => _choices?.Connections.FirstOrDefault(c => c.Id == _draft.ConnectionId);

    private QuotedOffer? Chosen => _quotes?.Offers.FirstOrDefault(q => q.Offer.Id == _draft.OfferId);

    private bool HasNeeds => _draft.Gpus.Length > 0 || _draft.MinVram.Length > 0 || _draft.MaxRate.Length > 0 || _draft.GpuCount.Trim() != "1";

    private string StartLabel => _starting ? (Asks is null ? "Starting…" : "Asking…") : Asks is { } ask ? $"Ask for approval · {ask.Figure}" : Waits is { } limit ? $"Wait for {Numbers.Rate(limit)} or less" : _draft.AtAPrice ? "Wait for its price" : Chosen is { } chosen ? $"Start · {Numbers.About(chosen.Estimate.Expected)}" : "Start when a machine is free";

    /// <summary>The price it waits for, once that reads as one.</summary>
    private HourlyRate? Waits => _draft.AtAPrice && _draft.Read(_key).Request.Order?.Limit is { MicrosPerHour: > 0 } limit ? limit : null;

    /// <summary>What the person's role allows of the form as it stands; null: it has no limit.</summary>
    private RoleCheck? Check => _choices is { Standing: { Limit: not null } standing } && Connection is { } connection
        ? RoleCheck.Of(standing, Team.Role, connection.Simulated, _draft.Read(_key).Request, Chosen, Holds.Value.Terms)
        : null;

    /// <summary>What somebody has to say yes to; null: nothing.</summary>
    private ApprovalAsk? Asks => Check?.Ask;

    private string Promise => Asks is { } ask ? $"{ask.Words(own: true)} {ApprovalWords.Waits(_choices!.Standing.Deciders)}"
        : _draft.AtAPrice ? $"Nothing is rented and nothing is billed until a machine costs {(Waits is { } limit ? Numbers.Rate(limit) : "that")} or less."
        : Chosen is { } chosen
        ? $"If this offer is gone we take the next cheapest that fits. Likely not above {Numbers.Amount(chosen.Estimate.High)}."
        : "Nothing is rented while no machine fits, and nothing is billed.";

    protected override async Task OnInitializedAsync()
    {
        var choices = await Choices.ChoicesAsync(Team, _leaving.Token);
        _draft.ConnectionId = choices.Connections.Count > 0 ? choices.Connections[0].Id : default;
        _draft.ProjectId = choices.Projects.Count > 0 ? choices.Projects[0].Id : null;
        _draft.Preset = PresetAsked == Presets.Command ? Presets.Command : Presets.Smoke;
        _draft.Name = ProposedName(_draft.Preset, choices.NextNumber);
        _choices = choices;
        if (PresetAsked is not (null or Presets.Command or Presets.Smoke))
        {
            _said = $"There is no preset \"{PresetAsked}\"; the smoke test is filled in instead.";
        }

        if (ChangeAsked is { } waiting)
        {
            await ChangeAsync(waiting);
        }
        else if (CloneAsked is { } number)
        {
            await CloneAsync(number);
        }

        if (OfferAsked is not null || TypeAsked is not null)
        {
            _draft.WithBid = TypeAsked == "bid"; // an offer is of one kind, whatever a clone brought
        }

        TakeAddress(choices); // after the clone, which brings a draft of its own
    }

    // An offer belongs to one connection, so it is looked for there or not at all.
    private void TakeAddress(NewJobChoices choices)
    {
        if (ConnectionAsked is null)
        {
            _draft.OfferId = OfferAsked;
        }
        else if (Guid.TryParse(ConnectionAsked, out var asked) && choices.Connections.FirstOrDefault(c => c.Id.Value == asked) is { } connection)
        {
            (_draft.ConnectionId, _draft.OfferId) = (connection.Id, OfferAsked);
        }
        else if (choices.Connections.Count > 0)
        {
            _said = $"The connection of that address rents nothing now; {choices.Connections[0].Name} is filled in instead.";
        }
    }

    // Not earlier: prerendering must not spend one of the provider's rationed searches.
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender && _choices is { Connections.Count: > 0 } && Team.May(Permission.StartJobs))
        {
            await QuoteNowAsync();
            StateHasChanged();
        }
    }

    private static string ProposedName(string preset, int number) => $"{preset}-{number}";

    private void UsePreset(string preset)
    {
        if (_choices is { } choices && (_cloned is not null || _draft.Name == ProposedName(_draft.Preset, choices.NextNumber)))
        {
            _draft.Name = ProposedName(preset, choices.NextNumber);
        }

        (_draft.Preset, _cloned, _draft.MayPause) = (preset, null, false);
        _draft.Base = new TrainingSpec { Preset = preset };
        Changed();
    }

    private async Task ChangeAsync(int number)
    {
        await CloneAsync(number);
        if (_cloned != number || await Jobs.FindAsync(Team, number, _leaving.Token) is not { } job)
        {
            return;
        }

        if (job.Approval is { Own: true } && job.Cancel is null)
        {
            (_draft.Name, _draft.Replaces) = (job.Name, number);
        }
        else
        {
            _said = $"#{number} does not wait for a yes to you, so it cannot be changed; the form is filled in with it and starts a job of its own.";
        }
    }

    private async Task CloneAsync(int number)
    {
        if (await Jobs.FindAsync(Team, number, _leaving.Token) is not { } job)
        {
            _said = $"There is no job #{number} to clone.";
            return;
        }

        var here = _choices?.Connections.Any(c => c.Id == job.ConnectionId) == true;
        _draft = JobDraft.CloneOf(job, here ? job.ConnectionId : _draft.ConnectionId);
        _cloned = number;
        Changed();
    }

    private void ChooseConnection(ChangeEventArgs chosen)
    {
        _draft.ConnectionId = new ConnectionId(Guid.Parse((string)chosen.Value!));
        Changed();
    }

    private void ChooseProject(ChangeEventArgs chosen) => _draft.ProjectId = new ProjectId(Guid.Parse((string)chosen.Value!));

    private void Rent(bool withBid)
    {
        _draft.WithBid = withBid;
        Changed();
    }

    /// <summary>A problem in a folded part must be seen.</summary>
    private bool AdvancedProblem => _problems.Any(p => p.Field.StartsWith("Limits.Retry.", StringComparison.Ordinal) || p.Field.StartsWith("Limits.Health.", StringComparison.Ordinal));

    private void Choose(string offer) => (_draft.OfferId, _note) = (offer, null);

    private Task DropNeedsAsync()
    {
        (_draft.Gpus, _draft.MinVram, _draft.MaxRate, _draft.GpuCount) = ("", "", "", "1");
        return QuoteNowAsync();
    }

    private string? Problem(string field) => _problems.FirstOrDefault(p => p.Field == field)?.Message;

    private string Checked(string preset) => _cloned is null && _draft.Preset == preset ? "true" : "false";

    private string Below(string path) => $"/t/{Team.Slug}/{path}";

    // A field that had a problem is looked at again as it is mended; others are left in peace until Start.
    private void Changed()
    {
        if (_problems.Count > 0)
        {
            _problems = [.. _problems.IntersectBy(AllProblems().Select(p => p.Field), p => p.Field)];
        }

        if (!_draft.QuoteKey.Equals(_askedFor))
        {
            _ = QuoteAsync(Settle);
        }
    }

    private List<FieldProblem> AllProblems()
    {
        var (request, unread) = _draft.Read(_key);
        return [.. unread, .. JobRequestValidator.Problems(request).Where(p => unread.All(u => u.Field != p.Field))];
    }

    private Task QuoteNowAsync() => QuoteAsync(TimeSpan.Zero);

    private async Task QuoteAsync(TimeSpan after)
    {
        var earlier = _asking;
        using var asking = CancellationTokenSource.CreateLinkedTokenSource(_leaving.Token);
        (_asking, _askedFor, _computing) = (asking, _draft.QuoteKey, true);
        try
        {
            if (earlier is not null)
            {
                await earlier.CancelAsync(); // the newest question's answer is the one that counts
            }

            if (after > TimeSpan.Zero)
            {
                await Task.Delay(after, Clock, asking.Token);
            }

            var quotes = await Quoting.RunAsync(Team, _draft.Read(_key).Request, asking.Token);
            asking.Token.ThrowIfCancellationRequested();
            Take(quotes);
        }
        catch (OperationCanceledException) when (asking.IsCancellationRequested) { }
        catch (Exception error) when (after > TimeSpan.Zero)
        {
            await DispatchExceptionAsync(error); // nobody awaits a question that a key press started
        }
        finally
        {
            if (ReferenceEquals(_asking, asking))
            {
                (_asking, _computing) = (null, false);
                if (!_leaving.IsCancellationRequested)
                {
                    StateHasChanged();
                }
            }
        }
    }

    private void Take(OfferQuotes quotes)
    {
        _quotes = quotes;
        if (quotes.Offers.Count == 0)
        {
            return;
        }

        if (_draft.OfferId is null || quotes.Offers.All(q => q.Offer.Id != _draft.OfferId))
        {
            _note = _draft.OfferId is null ? null : "The offer you chose is gone; the next best is chosen.";
            _draft.OfferId = quotes.Offers[0].Offer.Id;
        }
    }

    private Task KeyAsync(KeyboardEventArgs key) => key is { CtrlKey: true, Key: "Enter" } ? StartAsync() : Task.CompletedTask;

    private async Task StartAsync()
    {
        if (_starting)
        {
            return; // the second click of a double click
        }

        _problems = AllProblems();
        if (_problems.Count > 0)
        {
            _said = null;
            return;
        }

        (_starting, _over) = (true, null);
        try
        {
            // Not cancelled by leaving: what was started is started.
            switch (await Submitting.RunAsync(Team, _draft.Read(_key).Request, CancellationToken.None))
            {
                case SubmitResult.Accepted accepted:
                    Navigation.NavigateTo(Below($"jobs/{accepted.Number}"));
                    return;
                case SubmitResult.OverBudget over:
                    (_over, _said) = (over, null);
                    break;
                case SubmitResult.NoAnswer silent:
                    _said = silent.Message; // what was typed stays
                    break;
                case SubmitResult.Invalid invalid:
                    _problems = invalid.Problems;
                    _draft.Replaces = invalid.Problems.Any(p => p.Field == nameof(JobRequest.Replaces)) ? null : _draft.Replaces;
                    _said = string.Join(' ', invalid.Problems.Where(p => p.Field is not ("Name" or "Tags" or "ProjectId") && !p.Field.Contains('.', StringComparison.Ordinal)).Select(p => p.Message)) is { Length: > 0 } said ? said : null;
                    break;
            }
        }
        finally
        {
            _starting = false;
        }
    }

    private Task StartMayPauseAsync()
    {
        _draft.MayPause = true;
        return StartAsync();
    }

    // Within the limit it stops itself before the budget would have to.
    private void Lower()
    {
        _draft.MaxCost = _over!.Left.Usd.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture);
        _over = null;
    }

    private void NextProject()
    {
        var projects = _choices!.Projects;
        var next = (projects.Select(p => (ProjectId?)p.Id).ToList().IndexOf(_draft.ProjectId) + 1) % projects.Count;
        _draft.ProjectId = projects[next].Id;
        (_over, _said) = (null, $"The project is {projects[next].Name} now.");
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        _leaving.Dispose();
    }
}
