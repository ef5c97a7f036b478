using Dashboard.Domain.Marketplaces;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>One call on its way: the gate it goes through, and whether it may have reached the provider.</summary>
/// <param name="gate">Of its key and endpoint.</param>
/// <param name="market">What people call the market, for the request log.</param>
internal sealed class VastAiCall(EndpointGate gate, string market)
{
    public const string Option = "dashboard.vastai.call";

    public EndpointGate Gate => gate;

    public string Market => market;

    /// <summary>How often it was tried, the present try included.</summary>
    public int Tries { get; set; }

    /// <summary>False is certain: the request has not left. True means that it may have.</summary>
    public bool Sent { get; set; }
}

/// <summary>The last step before the network, once per try: passes the gate, waits for the complete answer within the call timeout, and writes the request log.</summary>
internal sealed class VastAiHandler(IOptions<VastAiOptions> options, ProviderRequestLog log, TimeProvider time) : DelegatingHandler
{
    // A listing page is at most 25 rows of some 40 KB (environment and onstart are echoed); a search page 64 rows of 4 KB.
    private const long LargestAnswer = 8 * 1024 * 1024;

    private static readonly HttpRequestOptionsKey<VastAiCall> Call = new(VastAiCall.Option);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(Call, out var call))
        {
            throw new InvalidOperationException("A call without a gate.");
        }

        call.Tries++;
        var at = time.GetUtcNow();
        var asked = time.GetTimestamp();
        TimeSpan? held = null;
        try
        {
            await call.Gate.PassAsync(cancellationToken);
            held = time.GetElapsedTime(asked);
            var response = await SendAndReadAsync(request, call, cancellationToken);
            Write((int)response.StatusCode, ProviderRequestLog.IdOf(response), fault: null);
            return response;
        }
        catch (Exception error)
        {
            Write(status: null, id: null, FaultOf(error, cancellationToken));
            throw;
        }

        void Write(int? status, string? id, string? fault)
        {
            var all = time.GetElapsedTime(asked);
            log.Add(new ProviderRequest(
                Number: 0, at, call.Market, request.Method.Method, ProviderRequestLog.RouteOf(request.RequestUri), call.Tries, held ?? all, all - (held ?? all), status, id, fault));
        }
    }

    private async Task<HttpResponseMessage> SendAndReadAsync(HttpRequestMessage request, VastAiCall call, CancellationToken ct)
    {
        var timeout = options.Value.CallTimeout;
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        HttpResponseMessage? response = null;
        try
        {
            call.Sent = true;
            response = await base.SendAsync(request, either.Token);

            // Read here, so that timeouts and retries cover the body too.
            await response.Content.LoadIntoBufferAsync(LargestAnswer, either.Token);
            return response;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            response?.Dispose();
            throw new HttpRequestException($"No complete answer within {timeout.TotalSeconds:0.###} s.");
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }

    // The kind of fault and never its message: that is made of what came over the network.
    private static string FaultOf(Exception error, CancellationToken ct) => error switch
    {
        RateLimitedException => "not sent, our limiter",
        _ when ct.IsCancellationRequested => "given up by us",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "no connection",
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "name not found",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "no secure connection",
        HttpRequestException { HttpRequestError: HttpRequestError.Unknown, InnerException: null } => "no complete answer in time",
        HttpRequestException or IOException => "answer broken off",
        _ => error.GetType().Name,
    };
}
