using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>One call on its way: the gate it goes through, and whether it may have reached the provider.</summary>
internal sealed class VastAiCall(EndpointGate gate)
{
    public const string Option = "dashboard.vastai.call";

    public EndpointGate Gate => gate;

    /// <summary>False is certain: the request has not left. True means that it may have.</summary>
    public bool Sent { get; set; }
}

/// <summary>The last step before the network, once per try: passes the gate, then waits for the complete answer within the call timeout.</summary>
internal sealed class VastAiHandler(IOptions<VastAiOptions> options, TimeProvider time) : DelegatingHandler
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

        await call.Gate.PassAsync(cancellationToken);
        var timeout = options.Value.CallTimeout;
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            call.Sent = true;
            response = await base.SendAsync(request, either.Token);

            // Read here, so that timeouts and retries cover the body too.
            await response.Content.LoadIntoBufferAsync(LargestAnswer, either.Token);
            return response;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
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
}
